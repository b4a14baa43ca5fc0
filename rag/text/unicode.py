"""Unicode normalization of all input: documents, queries, filters.

Many letters can be written in two ways, *é* as one character or as *e* and a combining mark, and
programs differ in which they use. All input is normalized to NFC, so that what looks the same is
the same, and offsets count the characters that a reader sees.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

_DEBRIS = {
    # Control characters other than tab and line feed.
    **dict.fromkeys([*range(9), *range(0x0E, 0x20), *range(0x7F, 0xA0)]),
    # Line, paragraph and page separators of other systems.
    **dict.fromkeys([0x0B, 0x0C, 0x85, 0x2028], "\n"),
    0x2029: "\n\n",
    # Non-breaking spaces.
    **dict.fromkeys([0xA0, 0x2007, 0x202F], " "),
    # Soft hyphens, byte order marks, lone surrogates, noncharacters.
    **dict.fromkeys([0xAD, 0xFEFF, *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]),
}

_MOST_MARKS = 30
"""Maximum combining marks per letter, as in Unicode's Stream-Safe Text Format. The time to compose
a letter is quadratic in the number of its marks."""


def plain(text: str) -> str:
    """Normalize a text: no control characters (except tab), lone surrogates, byte order marks or
    soft hyphens; line feeds end lines, non-breaking spaces become plain ones; the rest in NFC.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_DEBRIS)
    if text.isascii():
        return text
    marks = _marks()
    if not marks.all.isdisjoint(text):
        text = marks.piles.sub(r"\1", text.translate(marks.taken_apart))
    return unicodedata.normalize("NFC", text)


class _Marks(NamedTuple):
    """The combining marks; those of them that decompose into several; and a pattern for more marks
    in a row than a reader could tell apart.
    """

    all: frozenset[str]
    taken_apart: Mapping[int, str]
    piles: re.Pattern[str]


@functools.cache
def _marks() -> _Marks:
    first, last = 0x300, 0x1E94A  # the range of combining marks
    taken_apart = {code: unicodedata.normalize("NFD", chr(code)) for code in range(first, last + 1)}
    marks = {code: parts for code, parts in taken_apart.items() if unicodedata.combining(parts[0])}
    one = "[" + "".join(map(chr, marks)) + "]"
    return _Marks(
        frozenset(map(chr, marks)),
        {code: parts for code, parts in marks.items() if len(parts) > 1},
        re.compile(f"({one}{{{_MOST_MARKS}}}){one}+"),
    )
