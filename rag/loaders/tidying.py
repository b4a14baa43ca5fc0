"""Text as every loader hands it over: one kind of line end, one kind of blank, no debris."""

from __future__ import annotations

import functools
import re
import unicodedata

_GAP = re.compile(r"\n{3,}")

_DEBRIS = {
    # Controls, apart from tab and line feed.
    **dict.fromkeys([*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0)]),
    # What other systems end a line, a paragraph or a page with.
    **dict.fromkeys([0x0B, 0x0C, 0x85, 0x2028], "\n"),
    0x2029: "\n\n",
    # Blanks that differ only in where a line may break.
    **dict.fromkeys([0xA0, 0x2007, 0x202F], " "),
    # Soft hyphens, byte order marks, lone surrogates, non-characters.
    **dict.fromkeys([0xAD, 0xFEFF, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]),
}

_MOST_MARKS = 30
"""Combining marks that one letter may carry: the limit of Unicode's Stream-Safe Text Format. To
compose a letter takes time in proportion to the square of its marks."""


def tidy(text: str) -> str:
    """The text in the form that a document's text has; tidying it again changes nothing.

    Lines end with a line feed and without blanks. One empty line stands between paragraphs,
    and none at either end. Controls (tab apart), lone surrogates, byte order marks and soft
    hyphens are gone; hard blanks are plain ones; the rest is in Unicode's form NFC.
    """
    return without_debris(text).strip()


def one_line(text: str) -> str:
    """The tidied text, every run of blanks and line ends in it made a single blank."""
    return " ".join(without_debris(text).split())


def without_debris(text: str) -> str:
    """What ``tidy`` does, apart from both ends of the text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_DEBRIS)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _with_few_marks(text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _GAP.sub("\n\n", text)


def _with_few_marks(text: str) -> str:
    """The text without those marks that no reader could tell apart, see ``_MOST_MARKS``."""
    decomposed, piles = _marks()
    return piles.sub(r"\1", text.translate(decomposed))


@functools.cache
def _marks() -> tuple[dict[int, str], re.Pattern[str]]:
    """Marks that stand for several, taken apart, and a pattern for too many of them in a row."""
    first, last = 0x300, 0x1E94A  # the range in which Unicode has combining marks
    taken_apart = {code: unicodedata.normalize("NFD", chr(code)) for code in range(first, last + 1)}
    marks = {code: parts for code, parts in taken_apart.items() if unicodedata.combining(parts[0])}
    one = "[" + "".join(map(chr, marks)) + "]"
    return (
        {code: parts for code, parts in marks.items() if len(parts) > 1},
        re.compile(f"({one}{{{_MOST_MARKS}}}){one}+"),
    )
