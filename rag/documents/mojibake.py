# ruff: noqa: RUF001 (quotation marks)
"""How much a text looks as if it was decoded by the wrong encoding, for guesses from few bytes."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress

_SYMBOLS = frozenset({"Sm", "Sc", "So", "Sk", "Lm", "Cc", "Cn", "Co", "No"})
_WORD_BREAKING = frozenset("§¶·¿¡†‡‰«»‹›„“”‚")
"""Punctuation that never stands within a word."""

_OPENING, _AFTER_OPENING = frozenset("„‚"), "„‚»«›‹([§$€£…–—-+'\"*_."
_STRAIGHT = frozenset("─│═║━┃")
_FRACTIONS = frozenset("½¼¾")

_SCRIPTS = (
    *((0x2B0, "Latin"), (0x370, ""), (0x400, "Greek"), (0x530, "Cyrillic"), (0x590, "")),
    *((0x600, "Hebrew"), (0x700, "Arabic"), (0xE00, ""), (0xE80, "Thai"), (0x1E00, "")),
    *((0x1F00, "Latin"), (0x2000, "Greek"), (0x2E80, ""), (0xFB00, "CJK"), (0xFB50, "ligature")),
    (0xFF00, "Arabic"),
)
"""Each script with the code point at which it ends."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_FOREIGN_WORD = re.compile(r"(?<!\w)[À-ÖØ-öø-ɏ]{3,}(?!\w)")
_IDEOGRAPH, _LATIN = re.compile("[\u2e80-\uffff]"), re.compile("[A-Za-z]")
_FEWEST = 4
_MOST = 8_192
"""Number of bytes by which encodings are compared."""


def most_plausible(data: bytes, encodings: Iterable[str], *, is_name: bool = False) -> str | None:
    """The encoding by which ``data`` looks least odd, the first of several; None if it is invalid
    in all of them.
    """
    decoded: dict[str, int] = {}
    for encoding in encodings:
        decoder = codecs.getincrementaldecoder(encoding)()
        with suppress(UnicodeDecodeError):
            text = decoder.decode(data[:_MOST], final=len(data) <= _MOST)
            decoded[encoding] = oddness(text, is_name=is_name)
    return min(decoded, key=lambda encoding: decoded[encoding], default=None)


def oddness(text: str, *, is_name: bool = False) -> int:
    """Number of places where no language has what stands there: a symbol within a word, a capital
    after a small letter, letters of two scripts side by side, or a word of accented letters only.
    In a name of a file, lines of a frame are odd, too.
    """
    found = sum(len(word) - 2 for word in _FOREIGN_WORD.findall(text))
    # Languages that are written without blanks have foreign words next to their own.
    is_mixed = _FEWEST * len(_IDEOGRAPH.findall(text)) > len(_LATIN.findall(text))
    framed = f" {text} "
    for stretch in _BEYOND_ASCII.finditer(framed):
        # With the character after it, which may clash with its last one.
        for at in range(stretch.start(), min(stretch.end() + 1, len(framed) - 1)):
            before, one, after = framed[at - 1], framed[at], framed[at + 1]
            if _is_letter(one):
                scripts = {_script(before), _script(one)}
                is_clash = _is_letter(before) and len(scripts) > 1
                found += is_clash and not (is_mixed and "CJK" in scripts)
                found += not one.isascii() and one.isupper() and before.islower()
            elif not one.isascii():
                found += _is_misplaced(before, one, after) or (is_name and _is_line(one))
    return found


def _is_misplaced(before: str, symbol: str, after: str) -> bool:
    letters = _is_letter(before) + _is_letter(after)
    if symbol in _OPENING:
        return letters > 1 or not (after.isalnum() or after in _AFTER_OPENING)
    if _is_line(symbol) and _is_line(before) and before != symbol:
        return letters > 0 or not {before, symbol} & _STRAIGHT
    category = unicodedata.category(symbol)
    if category == "Sc" or symbol in _FRACTIONS or _is_line(symbol):
        return letters > 0
    if symbol in _WORD_BREAKING:
        return letters > 1
    symbols = (not before.isascii()) + (not after.isascii())
    return category in _SYMBOLS and letters + symbols > 1


def _is_letter(character: str) -> bool:
    return character.isalpha() and unicodedata.category(character) != "Lm"


def _is_line(character: str) -> bool:
    return "\u2500" <= character <= "\u259f"


def _script(letter: str) -> str:
    return next((name for end, name in _SCRIPTS if ord(letter) < end), "")
