# ruff: noqa: RUF001 (symbols that look like letters)
"""Unicode for the characters of symbol fonts, which Word stores by their place in the font."""

from __future__ import annotations

import re

UNKNOWN = "□"
"""Stands for a character of any other font."""

PRIVATE = re.compile("[\uf020-\uf0ff]")
"""Characters that stand for a place in a symbol font: those of the private use area."""

# Adobe's encoding of the font Symbol; blanks are unused or pieces of large brackets.
_SYMBOL = (
    "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλµνοπθρστυϖωξψζ{|}∼"
    + 34 * " "
    + "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑"
    + 10 * " "
    + " ⟩∫"
)  # fmt: skip
_FONTS = {
    "symbol": {0x21 + place: one for place, one in enumerate(_SYMBOL) if one != " "} | {0xA0: "€"},
    "wingdings": dict(
        zip(
            bytes.fromhex(
                "2228292a414344454647484a4b4c4e5152546c6d6e6f7172757677789e9fa7a8abd8dfe0e1e2e8ef"
                "f0f1f2f3fbfcfdfe"
            ),
            "✂☎✆✉✌👍👎☜☞☝☟☺😐☹☠✈☼❄●❍■□❑❒◆❖◆⌧·•▪◻★➢←→↑↓➔⇦⇨⇧⇩⬄✗✓☒☑",
            strict=True,
        )
    ),
    "wingdings 2": dict(
        zip(
            bytes.fromhex("4f50515253a3"),
            "✗✓☒☑☒□",
            strict=True,
        )
    ),
}


def symbol(font: str, character: str) -> str:
    """The Unicode character at a place in a symbol font, given in the private use area or directly;
    ``UNKNOWN`` for other fonts.
    """
    return _FONTS.get(font.lower(), {}).get(ord(character) & 0xFF, UNKNOWN)
