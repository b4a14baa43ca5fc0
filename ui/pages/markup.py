"""Plain text in, escaped HTML out: paragraphs, the answer marked, matched words underlined.

Text is cut into pieces first and each piece is escaped on its own. Nothing ever searches or
changes HTML, so that a document's text can't become part of the page's markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from html import escape
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
"""Half-open range of characters of one text."""

Words: TypeAlias = re.Pattern[str]
"""Finds words in plain text."""

NO_WORDS: Words = re.compile(r"(?!)")
"""Finds nothing."""

_GAP = re.compile(r"\n[^\S\n]*\n\s*")
_ITEM = re.compile(r"\n[^\S\n]*(?:[-*+•‣◦\u2013]|\d{1,3}[.)])[^\S\n]")
_CELLS = re.compile(r"\t| \| ")


def paragraphs(text: str) -> Iterator[Range]:
    """The paragraphs of ``text``: what stands between empty lines, white space trimmed."""
    start = 0
    for gap in _GAP.finditer(text):
        yield from _trimmed(text, start, gap.start())
        start = gap.end()
    yield from _trimmed(text, start, len(text))


def lined(paragraph: str) -> bool:
    """Whether its lines are lines: of a list, a table, a verse, a program.

    Prose that was broken to fit a width isn't: all of its lines but the last are nearly full.
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


def overlap(one: Range, other: Range | None) -> Range | None:
    """What two ranges share, None where that is nothing."""
    if other is None:
        return None
    start, end = max(one[0], other[0]), min(one[1], other[1])
    return (start, end) if start < end else None


def around(whole: Range, inner: Range | None) -> tuple[Range, Range, Range]:
    """``whole`` cut in three: before ``inner``, the part it shares with it, after."""
    shared = overlap(whole, inner) or (whole[1], whole[1])
    return (whole[0], shared[0]), shared, (shared[1], whole[1])


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Finds these words in plain text where they stand alone, longest first."""
    known = sorted({word for word in words if word.strip()}, key=lambda word: (-len(word), word))
    if not known:
        return NO_WORDS
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)", re.IGNORECASE)


def anywhere(sought: str) -> Words:
    """Finds some words in a row, inside longer ones too, whatever blanks are between them."""
    parts = unicodedata.normalize("NFC", sought).split()  # as documents have it
    if not parts:
        return NO_WORDS
    return re.compile(r"\s+".join(map(re.escape, parts)), re.IGNORECASE)


def underlined(text: str, words: re.Pattern[str]) -> str:
    """``text``, escaped, with the matched words subtly marked."""
    pieces, at = [], 0
    for match in words.finditer(text):
        pieces.append(escape(text[at : match.start()]))
        pieces.append(f'<span class="word">{escape(match.group())}</span>')
        at = match.end()
    return "".join([*pieces, escape(text[at:])])


def marked(
    text: str,
    block: Range,
    answer: Range | None,
    words: re.Pattern[str] = NO_WORDS,
    target: str = "",
) -> str:
    """``text[block]``, escaped, with the part inside ``answer`` in ``<mark>``.

    ``target`` becomes the id of the mark, so that a link can scroll to it; an answer that
    crosses paragraphs has its id where it begins.
    """
    before, inside, after = around(block, answer)
    html = underlined(text[slice(*before)], words)
    if inside[0] < inside[1]:
        begins = answer is not None and inside[0] <= max(answer[0], 0)
        name = f' id="{escape(target)}"' if target and begins else ""
        html += f"<mark{name}>{underlined(text[slice(*inside)], words)}</mark>"
    return html + underlined(text[slice(*after)], words)
