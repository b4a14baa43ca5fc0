"""Plain text in paragraphs and pieces: what is in the answer, and which words are matched.

Templates escape each piece on its own. Nothing ever searches or changes HTML, so a document's text
can't become part of the page's highlights.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

Range: TypeAlias = tuple[int, int]
"""Half-open range of characters of one text."""

Words: TypeAlias = re.Pattern[str]
"""Matches words in plain text."""

NO_WORDS: Words = re.compile(r"(?!)")
"""Matches nothing."""


class Piece(NamedTuple):
    """A piece of text that begins at ``start``; ``word`` says whether it is a matched word."""

    start: int
    text: str
    word: bool


class Run(NamedTuple):
    """A run of text that begins at ``start``, inside or outside the answer."""

    start: int
    answer: bool
    pieces: list[Piece]


class Paragraph(NamedTuple):
    """A paragraph; ``lined`` says whether its line breaks are significant."""

    lined: bool
    runs: list[Run]


_GAP = re.compile(r"\n[^\S\n]*\n\s*")
_ITEM = re.compile(r"\n[^\S\n]*(?:[-*+•‣◦\u2013]|\d{1,3}[.)])[^\S\n]")
_CELLS = re.compile(r"\t| \| ")


def highlighted(text: str, answer: Range | None = None, words: Words = NO_WORDS) -> list[Paragraph]:
    """All paragraphs of a text, with the answer and the matched words."""
    return [
        Paragraph(lined(text[slice(*block)]), runs(text, block, answer, words))
        for block in paragraphs(text)
    ]


def runs(text: str, block: Range, answer: Range | None, words: Words) -> list[Run]:
    """``text[block]`` in up to three runs: before, inside and after the answer."""
    parts = zip(around(block, answer), (False, True, False), strict=True)
    return [
        Run(part[0], inside, pieces(text, part, words))
        for part, inside in parts
        if part[0] < part[1]
    ]


def pieces(text: str, part: Range, words: Words) -> list[Piece]:
    """``text[part]``, cut around the matched words."""
    found, (at, end) = [], part
    for match in () if words is NO_WORDS else words.finditer(text[at:end]):
        first, last = part[0] + match.start(), part[0] + match.end()
        found += [Piece(at, text[at:first], word=False), Piece(first, match.group(), word=True)]
        at = last
    return [piece for piece in (*found, Piece(at, text[at:end], word=False)) if piece.text]


def paragraphs(text: str) -> Iterator[Range]:
    """Iterate over paragraphs: blocks between blank lines, with white space trimmed."""
    start = 0
    for gap in _GAP.finditer(text):
        yield from _trimmed(text, start, gap.start())
        start = gap.end()
    yield from _trimmed(text, start, len(text))


def lined(paragraph: str) -> bool:
    """Whether line breaks are significant: in a list, a table, verse or code.

    In hard-wrapped prose they are not: all of its lines but the last are nearly full.
    """
    lines = paragraph.split("\n")
    if len(lines) == 1:
        return False
    if _ITEM.search(paragraph) or all(_CELLS.search(line) for line in lines):
        return True
    lengths = [len(line.rstrip()) for line in lines]
    return min(lengths[:-1]) < max(lengths) / 2


def _trimmed(text: str, start: int, end: int) -> Iterator[Range]:
    piece = text[start:end]
    if piece.strip():
        yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def around(whole: Range, inner: Range | None) -> tuple[Range, Range, Range]:
    """Split ``whole`` into the parts before, inside and after ``inner``; without an overlap, all of
    it is before.
    """
    start, end = whole
    first, last = (max(start, inner[0]), min(end, inner[1])) if inner else (end, end)
    if first >= last:
        first = last = end
    return (start, first), (first, last), (last, end)


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Compile a pattern that matches these words as whole words, longest first."""
    known = sorted({word for word in words if word.strip()}, key=lambda word: (-len(word), word))
    if not known:
        return NO_WORDS
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)", re.IGNORECASE)


def anywhere(sought: str) -> Words:
    """Compile a pattern for a phrase, inside longer words too, with any white space in between."""
    parts = unicodedata.normalize("NFC", sought).split()  # documents are in NFC
    if not parts:
        return NO_WORDS
    return re.compile(r"\s+".join(map(re.escape, parts)), re.IGNORECASE)
