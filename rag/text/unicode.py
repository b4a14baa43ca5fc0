"""The characters that texts are made of here, whoever wrote them: documents, questions, filters.

Unicode has two ways to write many letters, *é* as one character or as *e* and a mark, and
programs differ in which they write. All of it is brought into one form (NFC) where it comes in, so
that what looks the same is the same, and offsets count what a reader of the text sees.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

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


def plain(text: str) -> str:
    """The text without controls (tab apart), lone surrogates, byte order marks and soft hyphens,
    its lines ended by line feeds and its hard blanks plain ones; the rest in Unicode's form NFC.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_DEBRIS)
    if text.isascii():
        return text
    marks = _marks()
    if not marks.all.isdisjoint(text):
        text = marks.piles.sub(r"\1", text.translate(marks.taken_apart))
    return unicodedata.normalize("NFC", text)


class _Marks(NamedTuple):
    """The combining marks; those of them that stand for several, taken apart; and a pattern for
    more of them in a row than a reader could tell apart.
    """

    all: frozenset[str]
    taken_apart: Mapping[int, str]
    piles: re.Pattern[str]


@functools.cache
def _marks() -> _Marks:
    first, last = 0x300, 0x1E94A  # the range in which Unicode has combining marks
    taken_apart = {code: unicodedata.normalize("NFD", chr(code)) for code in range(first, last + 1)}
    marks = {code: parts for code, parts in taken_apart.items() if unicodedata.combining(parts[0])}
    one = "[" + "".join(map(chr, marks)) + "]"
    return _Marks(
        frozenset(map(chr, marks)),
        {code: parts for code, parts in marks.items() if len(parts) > 1},
        re.compile(f"({one}{{{_MOST_MARKS}}}){one}+"),
    )
