"""Detect running headers, footers and page numbers, and remove them.

Only the outermost rows of a page are considered, and only those removed that recur on several pages
at the same height, set apart from the text, so that no body text is lost.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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

_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(
    r"\W*(?:page|p\.|seite|página)?\s*(?:(?P<digits>\d{1,5})|(?P<roman>[ivxlcdm]{1,7}))"
    r"(?:\s*(?:/|of|von|de|sur)\s*\d{1,5})?\W*",
    re.IGNORECASE,
)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}
_STAMP = re.compile(r"arXiv:\s?\S+\s+(?:\[[\w.-]+\]\s+)?\d{1,2}\s+\w{3}\s+\d{4}")


@dataclass(frozen=True, slots=True)
class PageRows:
    """A page with its rows in reading order; ``bottom`` and ``top`` are the edges of the paper.

    ``turned`` are rows of rotated text, whose positions are unrelated to those of the others; they
    are read last.
    """

    regions: tuple[Region, ...]
    turned: Region
    bottom: float
    top: float


_Margin: TypeAlias = tuple[list[Row], Row | None]
"""Rows that may be headers or footers, from the edge of the page inwards, and the row after them,
from which they must be set apart."""


def is_stamp(text: str) -> bool:
    """Whether this is the arXiv stamp along the edge of a first page."""
    return bool(_STAMP.search(text))


def without_headers_and_footers(pages: Sequence[PageRows]) -> Iterator[tuple[Region, ...]]:
    """The regions of each page without headers and footers."""
    margins = [_margins(page) for page in pages]
    candidates = [[row for rows, _ in both for row in rows] for both in margins]
    repeated = _repeated(candidates)
    offsets = _offsets(candidates)
    for number, (page, both) in enumerate(zip(pages, margins, strict=True)):
        loose = {
            id(row)
            for row in candidates[number]
            if _is_repeated(row, repeated)
            or any(value - number in offsets for value in _value(row))
        }
        gone = {id(row) for margin in both for row in _removable(margin, loose)}
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


def _masked_text(row: Row) -> str:
    """A row's text with numbers masked."""
    return _DIGITS.sub("#", row.text).casefold()


def _repeated(candidates: Sequence[Sequence[Row]]) -> Mapping[str, float]:
    """Texts that recur on enough pages at the same height, with that height."""
    heights: defaultdict[str, list[float]] = defaultdict(list)
    for rows in candidates:
        for wording, row in {_masked_text(row): row for row in rows}.items():
            if any(character.isalpha() for character in wording):
                heights[wording].append(row.base)
    needed = max(_LEAST_PAGES, min(_LEAST_SHARE * len(candidates), _MANY_PAGES))
    found: dict[str, float] = {}
    for wording, bases in heights.items():
        if len(bases) < needed:
            continue
        height = median(bases)
        if sum(abs(base - height) <= _SAME_HEIGHT for base in bases) >= needed:
            found[wording] = height
    return found


def _is_repeated(row: Row, repeated: Mapping[str, float]) -> bool:
    height = repeated.get(_masked_text(row))
    return height is not None and abs(row.base - height) <= _SAME_HEIGHT


def _offsets(candidates: Sequence[Sequence[Row]]) -> frozenset[int]:
    """Offsets of printed page numbers from page indices.

    Numbers count as page numbers only if they increase along with the pages.
    """
    offsets: Counter[int] = Counter()
    for number, rows in enumerate(candidates):
        offsets.update({value - number for row in rows for value in _value(row)})
    enough = min(len(candidates), 2)
    return frozenset(
        offset
        for offset, count in offsets.items()
        if count > 2 or (offset == 1 and count >= enough)  # noqa: PLR2004 - two may be chance
    )


def _value(row: Row) -> list[int]:
    """The number that is a row's only content, if any."""
    match = _NUMBER.fullmatch(row.text)
    if not match:
        return []
    return [int(match["digits"]) if match["digits"] else _from_roman(match["roman"].lower())]


def _from_roman(numeral: str) -> int:
    values = [_ROMAN[letter] for letter in numeral]
    return sum(
        -value if value < following else value
        for value, following in zip(values, [*values[1:], 0], strict=True)
    )
