"""Reading order of a page: full-width parts, then column by column."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import numpy as np
from numpy.typing import NDArray

from rag.documents.pdf.page import Piece, Region, Row

_PROSE = 10
"""In em: a piece at least this wide is a line of prose, not a label."""
_NARROW_PROSE = 8
"""... and this wide in the narrowest columns, if there are three words in it."""
_LEAST_LINES = 4
"""Minimum number of prose lines that a column has next to those of its neighbour."""
_LEAST_FILLED = 0.6
"""Minimum share of a column's width that its prose lines fill, in the median. Table cells fill
less, and are read row by row."""
_MOST_LEVEL = 0.5
_MOSTLY_FULL, _FULL = 0.8, 0.9
"""... or else at least a fifth of its lines fill this share of the width, as below a table."""
_LEAST_ALIGNED = 0.4
_MOST_SPLITS = 4
_MOST_GUTTERS = 2
_MOST_LINES = 2_000
"""Number of lines beyond which a page isn't made for people, and gets less time."""
_MOST_BESIDE = 20
"""Number of pieces at one height that are looked at."""
_SAME_ROW = 0.4
_LEVEL = 1.5
"""In points: pieces whose baselines differ by less are side by side."""
_CLOSE = 0.12
"""In em: pieces closer than this are parts of one word."""
_APART = 1.0
"""In em: minimum distance between the cells of a row."""
_AFTER_MARK = 3.0
"""In em: maximum distance between a section's number and its title."""
_MARK = re.compile(r"(?:\d{1,2}|[A-Z])(?:\.\d{1,2})*\.?|\(?\w{1,3}\)|[•●▪◦‣∙·■□\u2013—*-]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_LINE_BELOW = 1.5
"""In em: maximum distance to the next line of a paragraph."""
_WIDE_CAPTION = 0.5
_ROW_BELOW = 3.0
"""In em: maximum distance of the rows of a table, and of the table from its caption."""
_SAMPLE = 200
"""Number of characters by which the direction of a text is judged."""
_HEBREW_TO_ARABIC = ("\u0590", "\u08ff")


def in_reading_order(pieces: Sequence[Piece]) -> Iterator[Region]:
    """Yield the regions of a page in reading order."""
    for region in _split(list(pieces), _MOST_SPLITS):
        if region:
            yield tuple(rows(region))


def rows(pieces: Iterable[Piece]) -> Iterator[Row]:
    """Group pieces into rows of equal height, from top to bottom."""
    beside: list[Piece] = []
    for piece in sorted(pieces, key=lambda piece: (-piece.base, piece.left)):
        if beside and beside[0].base - piece.base > _SAME_ROW * max(beside[0].size, piece.size):
            yield _row(beside)
            beside = []
        beside.append(piece)
    if beside:
        yield _row(beside)


def _row(beside: list[Piece]) -> Row:
    cells = _cells(sorted(beside, key=lambda piece: piece.left))
    largest = max(cells, key=lambda cell: len(cell.text))
    shown = cells[::-1] if _runs_left(largest.text) else cells
    return Row(
        text=" ".join(cell.text for cell in shown),
        left=cells[0].left,
        right=max(cell.right for cell in cells),
        base=largest.base,
        size=largest.size,
        bold=all(cell.bold for cell in cells),
        cells=tuple(shown) if len(cells) > 1 else (),
    )


def _cells(beside: list[Piece]) -> list[Piece]:
    """Merge pieces of a row that nearly touch."""
    cells = beside[:1]
    for piece in beside[1:]:
        last = cells[-1]
        gap = piece.left - last.right
        if gap > _APART * max(last.size, piece.size) and not (
            len(beside) == 2  # noqa: PLR2004 - a mark and what it marks
            and gap < _AFTER_MARK * last.size
            and _MARK.fullmatch(last.text)
        ):
            cells.append(piece)
            continue
        between = " " if gap > _CLOSE * last.size else ""
        first, second = (piece, last) if _runs_left(last.text) else (last, piece)
        longer = max(last, piece, key=lambda each: len(each.text))
        cells[-1] = Piece(
            text=f"{first.text}{between}{second.text}",
            left=last.left,
            right=max(last.right, piece.right),
            base=longer.base,
            size=longer.size,
            bold=last.bold and piece.bold,
        )
    return cells


def _runs_left(text: str) -> bool:
    """Whether the text is written from right to left."""
    first, last = _HEBREW_TO_ARABIC
    letters = [first <= letter <= last for letter in text[:_SAMPLE] if letter.isalpha()]
    return sum(letters) * 2 > len(letters)


def _split(pieces: list[Piece], depth: int) -> Iterator[list[Piece]]:
    """Yield the pieces of each region, in reading order."""
    gutter = _gutter(pieces) if depth else None
    if gutter is None:
        yield pieces
        return
    for is_across, band in _bands(pieces, gutter):
        if is_across:
            yield band
            continue
        above, left, right = _sides(band, gutter)
        yield above
        yield from _split(left, depth - 1)
        yield from _split(right, depth - 1)


def _gutter(pieces: list[Piece], depth: int = _MOST_GUTTERS) -> float | None:
    """Position of the gutter between two columns; None if there is none. On each side of it there
    may be ``depth`` more.
    """
    if len(pieces) < 2 * _LEAST_LINES:
        return None
    em = median(piece.size for piece in pieces)
    prose = [
        piece
        for piece in pieces
        if _is_prose(piece, em)
        or (_is_prose(piece, em, _NARROW_PROSE) and piece.text.count(" ") > 1)
    ]
    if len(prose) < 2 * _LEAST_LINES:
        return None
    left = np.array([piece.left for piece in prose])
    right = np.array([piece.right for piece in prose])
    places = np.arange(left.min() + _NARROW_PROSE * em, right.max() - _NARROW_PROSE * em, 1.0)
    if not len(places) or len(places) > 10_000:  # noqa: PLR2004 - no page that people print
        return None
    # Count the lines that span each position, using sorted edges.
    begun = np.searchsorted(np.sort(left), places)
    ended = np.searchsorted(np.sort(right), places)
    crossed = begun - ended
    has_sides = (ended >= _LEAST_LINES) & (len(prose) - begun >= _LEAST_LINES)
    if not has_sides.any():
        return None
    depth = depth if len(prose) <= _MOST_LINES else 0
    for fewest in np.unique(crossed[has_sides])[: 1 + depth]:
        strip = np.flatnonzero(has_sides & (crossed == fewest))
        runs = np.split(strip, np.flatnonzero(np.diff(strip) > 1) + 1)
        for run in sorted(runs, key=len, reverse=True)[:3]:
            place = float(places[run].mean())
            if _stands_between(place, prose, em, depth):
                return place
    return None


def _stands_between(place: float, prose: list[Piece], em: float, depth: int) -> bool:
    """Whether there are columns of prose on both sides of ``place``, next to each other."""
    left = [piece for piece in prose if piece.right <= place]
    right = [piece for piece in prose if piece.left >= place]
    across = [piece for piece in prose if piece.left < place < piece.right]
    if len(_level(across, [*left, *right])) > max(_LEAST_LINES, _MOST_LEVEL * len(across)):
        return False
    if _are_columns(left, right, place, em):
        return True
    for _ in range(depth):
        before, after = (_gutter(side, depth - 1) for side in (left, right))
        if before is not None:
            left = [piece for piece in left if piece.left >= before]
        if after is not None:
            right = [piece for piece in right if piece.right <= after]
        if before == after:
            return False
        if _are_columns(left, right, place, em):
            return True
    return False


def _are_columns(left: list[Piece], right: list[Piece], place: float, em: float) -> bool:
    beside_right = _beside(left, right)
    beside_left = _beside(right, left)
    if min(len(beside_right), len(beside_left)) < _LEAST_LINES:
        return False
    return (
        _fills(beside_right, place - min(piece.left for piece in left))
        and _fills(beside_left, max(piece.right for piece in right) - place)
        and _aligned([piece.left for piece in beside_left], em) >= _LEAST_ALIGNED
    )


def _fills(lines: list[Piece], width: float) -> bool:
    """Whether lines fill a column of this width, if only below a table or beside a figure."""
    widths = sorted(piece.right - piece.left for piece in lines)
    most = widths[int(_MOSTLY_FULL * len(widths))]
    return median(widths) > _LEAST_FILLED * width or most > _FULL * width


def _beside(these: list[Piece], those: list[Piece]) -> list[Piece]:
    """Those of ``these`` that are level with some of ``those``."""
    top = max((piece.base for piece in those), default=0.0)
    bottom = min((piece.base for piece in those), default=0.0)
    return [piece for piece in these if bottom - piece.size <= piece.base <= top + piece.size]


def _level(these: list[Piece], those: list[Piece]) -> list[Piece]:
    """Those of ``these`` that have one of ``those`` at their height."""
    bases = np.sort(np.array([piece.base for piece in those]))
    low = np.searchsorted(bases, [piece.base - 0.5 * piece.size for piece in these])
    high = np.searchsorted(bases, [piece.base + 0.5 * piece.size for piece in these])
    return [piece for piece, some in zip(these, low < high, strict=True) if some]


def _aligned(edges: list[float], em: float) -> float:
    """Share of the edges at the most common position."""
    places = np.round(np.array(edges) / (0.5 * em)).astype(np.int64)
    _, counts = np.unique(places, return_counts=True)
    return float(counts.max()) / len(edges)


def _bands(pieces: list[Piece], gutter: float) -> Iterator[tuple[bool, list[Piece]]]:
    """Split the page, from top to bottom, at pieces that span the gutter.

    Yields for each band whether it spans the gutter.
    """
    em = median(piece.size for piece in pieces)
    ordered = sorted(pieces, key=lambda piece: -piece.base)
    bases = np.array([-piece.base for piece in ordered])
    # Cumulative number of prose lines, which tells whether one is next to a piece.
    prose = np.cumsum([0, *(_is_prose(piece, em) for piece in ordered)])
    changes = np.zeros(len(ordered) + 1, np.int64)
    for at, piece in enumerate(ordered):
        if piece.left < gutter - 2 * em and piece.right > gutter + 2 * em:
            first = int(np.searchsorted(bases, bases[at] - 0.5 * em, "left"))
            last = int(np.searchsorted(bases, bases[at] + 0.5 * em, "right"))
            # Over a line of the next column, it just protrudes from its own.
            if prose[last] - prose[first] <= _is_prose(piece, em) or not any(
                _is_prose(other, em)
                and (abs(other.left - gutter) < 2 * em or abs(other.right - gutter) < 2 * em)
                for other in ordered[first : min(last, first + _MOST_BESIDE)]
            ):
                changes[first] += 1
                changes[last] -= 1
    across = np.cumsum(changes)[:-1] > 0
    _add_last_lines(ordered, across, em)
    _add_tables(ordered, across, em)
    for is_across, band in itertools.groupby(
        zip(across.tolist(), ordered, strict=True), key=lambda pair: pair[0]
    ):
        yield is_across, [piece for _, piece in band]


def _add_last_lines(ordered: list[Piece], across: NDArray[np.bool_], em: float) -> None:
    """Include the short last line of a full-width paragraph."""
    for at in range(1, len(ordered)):
        piece = ordered[at]
        if (
            across[at - 1]
            and not across[at]
            and 0 < ordered[at - 1].base - piece.base < _LINE_BELOW * piece.size
            and (
                at + 1 == len(ordered)
                or piece.base - ordered[at + 1].base > _LINE_BELOW * piece.size
            )
            and any(
                abs(piece.left - above.left) < 0.5 * em
                and abs(piece.size - above.size) < 0.05 * em
                and above.base - piece.base < _LINE_BELOW * piece.size
                for above in ordered[max(at - _MOST_BESIDE, 0) : at]
            )
        ):
            across[at] = True


def _add_tables(ordered: list[Piece], across: NDArray[np.bool_], em: float) -> None:
    """Include the cells of full-width tables, above and below captions of at least half the width.

    The cells of tables within columns have captions within columns.
    """
    width = max(piece.right for piece in ordered) - min(piece.left for piece in ordered)
    edges = np.flatnonzero(np.diff(across, prepend=False, append=False)).reshape(-1, 2)
    for start, end in edges.tolist():
        is_line = ordered[start].base - ordered[end - 1].base < 0.5 * em
        if is_line and (start == 0 or end == len(ordered)):
            continue  # a header or footer
        caption = max(piece.right - piece.left for piece in ordered[start:end])
        if caption < _WIDE_CAPTION * width:
            continue
        for edge, step in ((start, -1), (end - 1, 1)):
            at = edge + step
            while (
                0 <= at < len(ordered)
                and not across[at]
                and not (_is_prose(ordered[at], em) and _WORD.search(ordered[at].text))
                and abs(ordered[at].base - ordered[at - step].base) < _ROW_BELOW * em
            ):
                at += step
            first, last = sorted((edge + step, at - step))
            if sum(bool(row.cells) for row in rows(ordered[first : last + 1])) > 1:
                across[first : last + 1] = True


def _sides(band: list[Piece], gutter: float) -> tuple[list[Piece], list[Piece], list[Piece]]:
    """Split a band into what is above both columns (such as authors), left column and right column.

    A band without prose is all above: a table across the columns, read row by row.
    """
    em = median(piece.size for piece in band)
    heights = [piece.base + piece.size for piece in band if _is_prose(piece, em)]
    if not heights:
        return band, [], []
    first = max(heights)
    above = [piece for piece in band if piece.base > first]
    below = [piece for piece in band if piece.base <= first]
    if not _are_side_by_side(above, gutter):
        above, below = [], band
    left = [piece for piece in below if _middle(piece) < gutter]
    right = [piece for piece in below if _middle(piece) >= gutter]
    return above, left, right


def _are_side_by_side(above: list[Piece], gutter: float) -> bool:
    """Whether their rows are on both sides, as with authors; otherwise they belong to the columns.

    A single such row may be the headings of both columns.
    """
    left = [piece for piece in above if _middle(piece) < gutter]
    heights = np.sort(np.array([piece.base for piece in above if _middle(piece) >= gutter]))
    level: set[int] = set()
    for piece in left:
        near = np.searchsorted(heights, [piece.base - _LEVEL, piece.base + _LEVEL])
        if near[0] < near[1]:
            level.add(round(piece.base / piece.size))
    return len(level) > 1


def _middle(piece: Piece) -> float:
    return (piece.left + piece.right) / 2


def _is_prose(piece: Piece, em: float, least: float = _PROSE) -> bool:
    return piece.right - piece.left >= least * em and not piece.is_field
