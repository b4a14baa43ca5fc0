"""Detect running headers, footers and page numbers, and remove them.

Only the outermost rows of a page are considered, and only those removed that recur on several pages
at the same height, set apart from the text, and with the same words and numbers, except for the
page number. Whatever else differs from page to page, such as the number and the total of an
invoice, is content; and so is a header on a page with nothing else.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import median
from typing import TypeAlias

from rag.documents.pdf.page import Region, Row

_OUTERMOST = 3
"""Number of rows at the top and at the bottom of a page that may be headers or footers."""
_MARGIN = 0.14
"""Share of the page's height, at either end, in which headers and footers occur."""
_APART = 1.4
"""In em: anything closer to the text is part of it."""
_SAME_HEIGHT = 4.0
_LEVEL = 0.4
_LEAST_PAGES = 3
_LEAST_SHARE = 0.3
"""Minimum share of pages; left and right pages may differ."""
_MANY_PAGES = 6
"""Number of pages that suffices whatever the share: a header with the chapter's title changes with
it."""

_WORD = (
    r"(?:page|pages|pg\.?|p\.|seite|s\.|blatt|página|pagina|pagine|pág\.?|pag\.?|sheet|slide|folio|"
    r"strona|str\.|side|sida|sivu|oldal|стр\.?|страница|лист)"
)
_OF = r"(?:\s*(?:/|of|von|de|di|sur|из)\s*\d{1,5})?"
_NUMBER = re.compile(
    rf"\W*(?:{_WORD})?\s*(?:[A-Z\d]{{1,3}}[-:\u2013])?"
    rf"(?:(?P<digits>\d{{1,5}})|(?P<roman>[ivxlcdm]{{1,7}})){_OF}\W*",
    re.IGNORECASE,
)
"""A page number by itself."""
_PAGE_NUMBER = re.compile(rf"\b{_WORD}\s*\d{{1,5}}{_OF}\b", re.IGNORECASE)
"""A page number that says that it is one."""
_SEPARATOR = re.compile(r"\s+[-\u2013\u2014|/\u00b7\u2022]\s+|,\s+")
_OTHER_NUMBER = re.compile(
    r"(?:[:#№]|\b(?:no|nr|n°|number|nummer|numéro|numero|número)\.?)\s*$", re.IGNORECASE
)
"""What precedes a number that isn't a page number: "Invoice no."."""
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_MASK = "page #"
_COUNTED = "#"
_STAMP = re.compile(r"arXiv:\s?\S+\s+(?:\[[\w.-]+\]\s+)?\d{1,2}\s+\w{3}\s+\d{4}")


@dataclass(frozen=True, slots=True)
class PageRows:
    """A page with its rows in reading order; ``bottom`` and ``top`` are the edges of the paper.

    ``turned`` are rows of rotated text, whose positions are unrelated to those of the others; they
    are read last, after the ``notes``.
    """

    regions: tuple[Region, ...]
    turned: Region
    bottom: float
    top: float
    notes: tuple[str, ...] = ()


_Line: TypeAlias = tuple[Row, ...]
"""Rows of several regions at one height."""
_Margin: TypeAlias = tuple[list[_Line], _Line | None]
"""Lines that may be headers or footers, from the edge of the page inwards, and the line after them,
from which they must be set apart."""


def is_stamp(text: str) -> bool:
    """Whether this is the arXiv stamp along the edge of a first page."""
    return bool(_STAMP.search(text))


def without_headers_and_footers(
    pages: Sequence[PageRows], first: int = 0
) -> Iterator[tuple[Region, ...]]:
    """The regions of each page without headers and footers; ``first`` is the first page's index."""
    margins = [_margins(page) for page in pages]
    offsets = _offsets(margins, first)
    wordings = [
        {line: _wording(line, number, offsets) for lines, _ in both for line in lines}
        for number, both in enumerate(margins, first)
    ]
    repeated = _repeated(wordings)
    for page, both, wording in zip(pages, margins, wordings, strict=True):
        loose = {
            line
            for line, words in wording.items()
            if words == _COUNTED or _is_repeated(line, words, repeated)
        }
        lines = {line for margin in both for line in _removable(margin, loose)}
        if not page.turned and sum(map(len, lines)) == sum(map(len, page.regions)):
            lines = {line for line in lines if wording[line] == _COUNTED}
        gone = {id(row) for line in lines for row in line}
        kept = (tuple(row for row in region if id(row) not in gone) for region in page.regions)
        yield (*kept, page.turned)


def _margins(page: PageRows) -> tuple[_Margin, _Margin]:
    """The margins at the bottom and at the top."""
    up = _lines(page)
    down = up[::-1]
    height = _MARGIN * (page.top - page.bottom)
    low = [line for line in up[:_OUTERMOST] if line[0].base < page.bottom + height]
    high = [line for line in down[:_OUTERMOST] if line[0].base > page.top - height]
    return (low, next(iter(up[len(low) :]), None)), (high, next(iter(down[len(high) :]), None))


def _lines(page: PageRows) -> list[_Line]:
    """The rows of a page by height, from bottom to top, each line from left to right."""
    lines: list[list[Row]] = []
    for row in sorted(
        (row for region in page.regions for row in region), key=lambda row: (row.base, row.left)
    ):
        if lines and row.base - lines[-1][0].base <= _LEVEL * row.size:
            lines[-1].append(row)
        else:
            lines.append([row])
    return [tuple(sorted(line, key=lambda row: row.left)) for line in lines]


def _removable(margin: _Margin, loose: Container[_Line]) -> list[_Line]:
    """The leading lines, from the edge, that are ``loose`` and set apart from the rest."""
    lines, beyond = margin
    gone = list(takewhile(lambda line: line in loose, lines))
    while gone:
        last, kept = gone[-1][0], [*lines, beyond][len(gone)]
        if not kept or abs(last.base - kept[0].base) >= _APART * min(last.size, kept[0].size):
            break
        gone.pop()
    return gone


def _segments(line: _Line) -> list[str]:
    """The parts of a line that gaps or separators keep apart."""
    return [
        part for row in line for cell in row.cells or (row,) for part in _SEPARATOR.split(cell.text)
    ]


def _numbers(line: _Line) -> Iterator[tuple[int, int]]:
    """The numbers in a line that may be page numbers, each with the index of its segment."""
    segments = _segments(line)
    for at, (before, segment) in enumerate(zip(["", *segments], segments, strict=False)):
        match = _NUMBER.fullmatch(segment)
        if match and not _OTHER_NUMBER.search(before):
            digits = match["digits"]
            yield at, int(digits) if digits else _from_roman(match["roman"].lower())


def _wording(line: _Line, page: int, offsets: Container[int]) -> str:
    """A line's text with page numbers masked; ``_COUNTED`` if it is nothing else."""
    segments = _segments(line)
    for at, value in _numbers(line):
        if value - page in offsets:
            segments[at] = _COUNTED
    return "|".join(_PAGE_NUMBER.sub(_MASK, segment) for segment in segments).casefold()


def _repeated(wordings: Sequence[Mapping[_Line, str]]) -> Mapping[str, float]:
    """Wordings that recur on enough pages at the same height, with that height."""
    heights: defaultdict[str, list[float]] = defaultdict(list)
    for wording in wordings:
        for words, base in {words: line[0].base for line, words in wording.items()}.items():
            if any(character.isalpha() for character in words):
                heights[words].append(base)
    needed = max(_LEAST_PAGES, min(_LEAST_SHARE * len(wordings), _MANY_PAGES))
    repeated: dict[str, float] = {}
    for words, bases in heights.items():
        if len(bases) < needed:
            continue
        height = median(bases)
        if sum(abs(base - height) <= _SAME_HEIGHT for base in bases) >= needed:
            repeated[words] = height
    return repeated


def _is_repeated(line: _Line, wording: str, repeated: Mapping[str, float]) -> bool:
    height = repeated.get(wording)
    return height is not None and abs(line[0].base - height) <= _SAME_HEIGHT


def _offsets(margins: Sequence[tuple[_Margin, _Margin]], first: int) -> frozenset[int]:
    """Offsets of printed page numbers from page indices.

    Numbers count as page numbers only if they increase along with the pages. The numbers of merged
    invoices may do so too. Therefore, unless the first page has number 1, they must also stand
    alone at the edge of the page, or beside the header, now on its left and now on its right.
    """
    pages: defaultdict[int, set[int]] = defaultdict(set)
    sides: defaultdict[int, set[str]] = defaultdict(set)
    for page, both in enumerate(margins, first):
        for lines, _ in both:
            for line in lines:
                last = len(_segments(line)) - 1
                for at, value in _numbers(line):
                    pages[value - page].add(page)
                    if last or line is lines[0]:
                        sides[value - page] |= {"left"} if at == 0 else set()
                        sides[value - page] |= {"right"} if at == last else set()
    enough = min(len(margins), 2)
    return frozenset(
        offset
        for offset, found in pages.items()
        if (len(found) > 2 and len(sides[offset]) > 1)  # noqa: PLR2004 - two may be chance
        or (offset == 1 and len(found) >= enough)
    )


def _from_roman(numeral: str) -> int:
    values = [_ROMAN[letter] for letter in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )
