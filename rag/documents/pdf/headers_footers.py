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


_Margin: TypeAlias = tuple[list[Row], Row | None]
"""Rows that may be headers or footers, from the edge of the page inwards, and the row after them,
from which they must be set apart."""


def is_stamp(text: str) -> bool:
    """Whether this is the arXiv stamp along the edge of a first page."""
    return bool(_STAMP.search(text))


def without_headers_and_footers(pages: Sequence[PageRows]) -> Iterator[tuple[Region, ...]]:
    """The regions of each page without headers and footers."""
    margins = [_margins(page) for page in pages]
    offsets = _offsets(margins)
    wordings = [
        {id(row): _wording(row, number, offsets) for rows, _ in both for row in rows}
        for number, both in enumerate(margins)
    ]
    repeated = _repeated(margins, wordings)
    for page, both, wording in zip(pages, margins, wordings, strict=True):
        loose = {
            id(row)
            for rows, _ in both
            for row in rows
            if wording[id(row)] == _COUNTED or _is_repeated(row, wording[id(row)], repeated)
        }
        gone = {id(row) for margin in both for row in _removable(margin, loose)}
        if not page.turned and len(gone) == sum(map(len, page.regions)):
            gone = {row for row in gone if wording[row] == _COUNTED}
        kept = (tuple(row for row in region if id(row) not in gone) for region in page.regions)
        yield (*kept, page.turned)


def _margins(page: PageRows) -> tuple[_Margin, _Margin]:
    """The margins at the bottom and at the top."""
    up = sorted((row for region in page.regions for row in region), key=lambda row: row.base)
    down = up[::-1]
    height = _MARGIN * (page.top - page.bottom)
    low = [row for row in up[:_OUTERMOST] if row.base < page.bottom + height]
    high = [row for row in down[:_OUTERMOST] if row.base > page.top - height]
    return (low, next(iter(up[len(low) :]), None)), (high, next(iter(down[len(high) :]), None))


def _removable(margin: _Margin, loose: Container[int]) -> list[Row]:
    """The leading rows, from the edge, whose ids are in ``loose``, set apart from the rest."""
    rows, beyond = margin
    gone = list(takewhile(lambda row: id(row) in loose, rows))
    while gone:
        last, kept = gone[-1], [*rows, beyond][len(gone)]
        if kept is None or abs(last.base - kept.base) >= _APART * min(last.size, kept.size):
            break
        gone.pop()
    return gone


def _segments(row: Row) -> list[str]:
    """The parts of a row that gaps or separators keep apart."""
    return [part for cell in row.cells or (row,) for part in _SEPARATOR.split(cell.text)]


def _numbers(row: Row) -> Iterator[tuple[int, int]]:
    """The numbers in a row that may be page numbers, each with the index of its segment."""
    segments = _segments(row)
    for at, (before, segment) in enumerate(zip(["", *segments], segments, strict=False)):
        match = _NUMBER.fullmatch(segment)
        if match and not _OTHER_NUMBER.search(before):
            digits = match["digits"]
            yield at, int(digits) if digits else _from_roman(match["roman"].lower())


def _wording(row: Row, page: int, offsets: Container[int]) -> str:
    """A row's text with page numbers masked; ``_COUNTED`` if it is nothing else."""
    segments = _segments(row)
    for at, value in _numbers(row):
        if value - page in offsets:
            segments[at] = _COUNTED
    return "|".join(_PAGE_NUMBER.sub(_MASK, segment) for segment in segments).casefold()


def _repeated(
    margins: Sequence[tuple[_Margin, _Margin]], wordings: Sequence[Mapping[int, str]]
) -> Mapping[str, float]:
    """Wordings that recur on enough pages at the same height, with that height."""
    heights: defaultdict[str, list[float]] = defaultdict(list)
    for both, wording in zip(margins, wordings, strict=True):
        found = {wording[id(row)]: row.base for rows, _ in both for row in rows}
        for words, base in found.items():
            if any(character.isalpha() for character in words):
                heights[words].append(base)
    needed = max(_LEAST_PAGES, min(_LEAST_SHARE * len(margins), _MANY_PAGES))
    repeated: dict[str, float] = {}
    for words, bases in heights.items():
        if len(bases) < needed:
            continue
        height = median(bases)
        if sum(abs(base - height) <= _SAME_HEIGHT for base in bases) >= needed:
            repeated[words] = height
    return repeated


def _is_repeated(row: Row, wording: str, repeated: Mapping[str, float]) -> bool:
    height = repeated.get(wording)
    return height is not None and abs(row.base - height) <= _SAME_HEIGHT


def _offsets(margins: Sequence[tuple[_Margin, _Margin]]) -> frozenset[int]:
    """Offsets of printed page numbers from page indices.

    Numbers count as page numbers only if they increase along with the pages. The numbers of merged
    invoices may do so too. Therefore, unless the first page has number 1, they must also stand
    alone at the edge of the page, or beside the header, now on its left and now on its right.
    """
    pages: defaultdict[int, set[int]] = defaultdict(set)
    sides: defaultdict[int, set[str]] = defaultdict(set)
    for page, both in enumerate(margins):
        for rows, _ in both:
            for row in rows:
                last = len(_segments(row)) - 1
                for at, value in _numbers(row):
                    pages[value - page].add(page)
                    if last or row is rows[0]:
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
