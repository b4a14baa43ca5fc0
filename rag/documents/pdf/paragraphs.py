"""Group rows into paragraphs, tables and single lines."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from rag.documents.pdf.lines import Words
from rag.documents.pdf.page import Piece, Region, Row

_WIDER_GAP = 1.3
"""Ratio to the usual line distance from which a gap separates paragraphs."""
_USUAL_DISTANCE = 1.25
_OTHER_SIZE = 0.12
_INDENTED = 0.6
_LEVEL = 0.3
_MOST_INDENTED = 5.0
_SHORT = 0.12
"""Share of the column's width between the end of a line and the margin that makes the line
short."""
_HANGING = 0.45
"""If more than this share of lines are indented, the paragraphs have hanging indents."""
_FILLED = 0.85
"""Share of its extent that a line of prose fills; table cells leave more space."""
_LEAST_ROWS = 3
_PROSE = 10
_CUT = 2.5
"""In em: a line that ends this close to the margin is full."""
_SMALLER = 0.94
_LOOK_AHEAD = 16

_BULLET = re.compile(r"[•●▪◦‣∙·■□\u2013—*➢✓]\s*\S|[-o]\s+\S")
_NUMBERED = re.compile(r"(?:\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]|\[\d{1,3}\])\s")
_SECTION = re.compile(r"(?:\d{1,2}|[A-Z])(?:\.\d{1,2})*\.?\s+[A-Z]")
_FOOTNOTE = re.compile(r"(?:\d{1,2}|[*†‡])\s?(?:[A-Z]|https?:)")
_ENDED = re.compile(r"[.!?:;。\uff01\uff1f][\"'”\u2019»)\]]*\d{0,3}$")
_CAPTION = re.compile(
    r"(?:figure|fig\.|table|algorithm|listing|abbildung|tabelle)\s*\S{1,5}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a paragraph on one page."""

    page: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, table or single line as printed.

    A label is a single line too narrow for prose; a paragraph is cut if its last line is full.
    """

    parts: tuple[Part, ...]
    size: float
    bold: bool
    lines: int
    top: float
    is_prose: bool = True
    is_label: bool = False
    is_cut: bool = False

    @property
    def text(self) -> str:
        """The whole text, on one line if it is prose."""
        return " ".join(part.text for part in self.parts)


def in_paragraphs(region: Region, page: int, words: Words) -> list[Paragraph]:
    """The paragraphs of one region of a page."""
    if not region:
        return []
    column = _column(region)
    groups: list[list[Row]] = []
    for at, row in enumerate(region):
        following = region[at + 1] if at + 1 < len(region) else None
        if groups and not column.parts(groups[-1], row, following):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [_paragraph(group, page, words, column) for group in groups]


@dataclass(frozen=True, slots=True)
class _Column:
    """Typical measures of a region."""

    left: float
    right: float
    size: float
    distances: dict[int, float]
    hangs: bool

    def parts(self, group: Sequence[Row], row: Row, following: Row | None) -> bool:
        """Whether ``row``, which follows ``group``, begins a new paragraph or table."""
        above = group[-1]
        if _is_tabular(above) or _is_tabular(row):
            return _is_tabular(above) != _is_tabular(row) or self._is_far(above, row)
        return (
            self._is_far(above, row)
            or abs(above.size - row.size) > _OTHER_SIZE * max(above.size, row.size)
            or above.bold != row.bold
            or self._begins(group, row, following)
        )

    def _is_far(self, above: Row, row: Row) -> bool:
        usual = self.distances.get(round(row.size), _USUAL_DISTANCE * row.size)
        return above.base - row.base > _WIDER_GAP * usual

    def _begins(self, group: Sequence[Row], row: Row, following: Row | None) -> bool:
        """Whether ``row`` begins a paragraph despite normal line spacing."""
        above = group[-1]
        if above.bold and row.bold and len(group) < _LEAST_ROWS:  # a multi-line heading
            return bool(_SECTION.match(row.text))
        if row.size < _SMALLER * self.size and _FOOTNOTE.match(row.text):
            return True
        step = (row.left - above.left) / row.size
        ended = bool(_ENDED.search(above.text))
        short = above.right < self.right - _SHORT * (self.right - self.left)
        if _BULLET.match(row.text) and (step < -_INDENTED or ended or short or len(group) > 1):
            return True
        if _NUMBERED.match(row.text) and (ended or short or step < -_INDENTED):
            return True
        return self._steps(group, row, following, ended=ended, short=short)

    def _steps(
        self, group: Sequence[Row], row: Row, following: Row | None, *, ended: bool, short: bool
    ) -> bool:
        """Whether ``row`` begins a paragraph, judged by its indent and the end of the previous
        line.
        """
        above = group[-1]
        step = (row.left - above.left) / row.size
        if step < -_INDENTED:
            is_other = ended or _is_marked(above.text) or step < -_MOST_INDENTED
            return len(group) > 1 or (short and is_other)
        if step <= _INDENTED or step >= _MOST_INDENTED:
            return ended and short
        if self.hangs or _is_marked(group[0].text):
            return False
        # The second line of a hanging indent rather than the first of another paragraph.
        hangs = following is not None and abs(following.left - row.left) < _LEVEL * row.size
        return ended or (short and not (hangs and len(group) == 1))


def _column(region: Region) -> _Column:
    prose = [row for row in region if not _is_tabular(row)] or list(region)
    left = min(row.left for row in prose)
    right = sorted(row.right for row in prose)[int(0.9 * (len(prose) - 1))]
    gaps: defaultdict[int, list[float]] = defaultdict(list)
    for above, row in itertools.pairwise(region):
        if round(above.size) == round(row.size):
            gap = above.base - row.base
            if 0.8 * row.size < gap < 2.2 * row.size:
                gaps[round(row.size)].append(gap)
    indented = [_INDENTED < (row.left - left) / row.size < _MOST_INDENTED for row in prose]
    return _Column(
        left=left,
        right=right,
        size=median(row.size for row in prose),
        distances={size: median(found) for size, found in gaps.items()},
        hangs=sum(indented) > _HANGING * len(indented),
    )


def _is_marked(text: str) -> bool:
    return bool(_BULLET.match(text) or _NUMBERED.match(text))


def _is_tabular(row: Row) -> bool:
    """Whether the row consists of cells, with wider gaps than prose."""
    filled = sum(cell.right - cell.left for cell in row.cells)
    return bool(row.cells) and filled < _FILLED * (row.right - row.left)


def _paragraph(group: Sequence[Row], page: int, words: Words, column: _Column) -> Paragraph:
    is_prose = _is_prose(group, column)
    if is_prose:
        text = group[0].text
        pieces = [text]
        for row in group[1:]:
            # Joined only pairwise at the ends, so that a page with one paragraph takes linear time.
            last = pieces[-1]
            both = words.joined(last, row.text)
            pieces[-1:] = [both[: len(both) - len(row.text)], row.text]
        text = "".join(pieces)
    else:
        text = "\n".join(_lines(group))
    longest = max(group, key=lambda row: len(row.text))
    return Paragraph(
        parts=(Part(page, text),),
        size=longest.size,
        bold=all(row.bold for row in group),
        lines=len(group),
        top=group[0].base,
        is_prose=is_prose,
        is_label=len(group) == 1
        and longest.right - longest.left < _PROSE * longest.size
        and not _ENDED.search(text),
        is_cut=group[-1].right > column.right - _CUT * group[-1].size,
    )


def _is_prose(group: Sequence[Row], column: _Column) -> bool:
    """Whether the rows are lines of prose rather than labels or cells."""
    if any(_is_tabular(row) for row in group):
        return False
    if len(group) == 1:
        return True
    size = group[0].size
    wide = [
        row.right - row.left >= min(_PROSE * size, 0.6 * (column.right - column.left))
        for row in group[:-1]
    ]
    return sum(wide) * 2 >= len(wide)


def _lines(group: Sequence[Row]) -> Iterator[str]:
    """The rows of a table, with separators between cells if they are certain."""
    marked = _marked(group)
    for row, is_sure in zip(group, marked, strict=True):
        yield _separated(row.cells) if is_sure else row.text


def _separated(cells: Sequence[Piece]) -> str:
    """The cells of a row with separators, except after a colon: that is a label and its value."""
    text = cells[0].text
    for cell in cells[1:]:
        text += (" " if text.endswith(":") else " | ") + cell.text
    return text


def _marked(group: Sequence[Row]) -> list[bool]:
    """Which rows certainly belong to a table: three in a row with aligned cells."""
    fits = [
        len(above.cells) == len(row.cells) > 1
        and all(
            first.left < second.right and second.left < first.right
            for first, second in zip(above.cells, row.cells, strict=True)
        )
        for above, row in itertools.pairwise(group)
    ]
    sure = [False] * len(group)
    for at in range(len(fits) - 1):
        if fits[at] and fits[at + 1]:
            sure[at : at + _LEAST_ROWS] = [True] * _LEAST_ROWS
    return sure


def merge_continued(
    regions: Sequence[list[Paragraph]], body: float, words: Words
) -> Iterator[Paragraph]:
    """Merge paragraphs that continue in the next column or page.

    Anything between the two halves, such as footnotes and figures, comes before or after them, but
    stays on its page.
    """
    for at, paragraphs in enumerate(regions):
        place = _last(paragraphs, body)
        if place is not None:
            _merge_into_next(regions, at, place, body, words)
        yield from paragraphs


def _merge_into_next(
    regions: Sequence[list[Paragraph]], at: int, place: int, body: float, words: Words
) -> None:
    """Move the paragraph at ``place`` in front of its continuation, if it has one."""
    paragraph = regions[at][place]
    page = paragraph.parts[-1].page
    for later in range(at + 1, min(at + _LOOK_AHEAD, len(regions))):
        for found, candidate in enumerate(regions[later]):
            if candidate.parts[0].page > page + 1:
                return
            if _is_aside(candidate, body):
                continue
            if not _continues(paragraph, candidate):
                if candidate.lines == 1 and not candidate.bold:
                    continue  # the header of a table, say
                return
            del regions[later][found]
            del regions[at][place]
            target = next(
                index
                for index in range(at + 1, later + 1)
                if not regions[index] or regions[index][0].parts[0].page >= candidate.parts[0].page
            )
            regions[target].insert(0, _merge(paragraph, candidate, words))
            return


def _last(paragraphs: Sequence[Paragraph], body: float) -> int | None:
    """Index of the last paragraph of body text."""
    for place in range(len(paragraphs) - 1, -1, -1):
        if not _is_aside(paragraphs[place], body):
            return place
    return None


def _is_aside(paragraph: Paragraph, body: float) -> bool:
    """Whether it is a footnote, a caption or part of a figure or table."""
    return (
        not paragraph.is_prose
        or (paragraph.is_label and not paragraph.bold)
        or paragraph.size < _SMALLER * body
        or bool(_CAPTION.match(paragraph.text))
    )


def _continues(first: Paragraph, second: Paragraph) -> bool:
    if first.bold or second.bold or not first.is_cut:
        return False
    if abs(first.size - second.size) > 0.06 * first.size:
        return False
    text, following = first.parts[-1].text, second.parts[0].text
    if _ENDED.search(text) or not following or not text:
        return False
    return following[0].islower() or (
        text[-1] in ",-\u00ad(" and second.lines > 1 and not _is_marked(following)
    )


def _merge(first: Paragraph, second: Paragraph, words: Words) -> Paragraph:
    above, below = first.parts[-1], second.parts[0]
    if above.page == below.page:
        parts = [Part(above.page, words.joined(above.text, below.text))]
    elif words.link(above.text, below.text):
        parts = [above, below]
    else:  # a hyphenated word belongs to the page on which it begins
        half, _, rest = below.text.partition(" ")
        parts = [Part(above.page, words.joined(above.text, half)), Part(below.page, rest)]
    return replace(
        first,
        parts=(*first.parts[:-1], *parts, *second.parts[1:]),
        lines=first.lines + second.lines,
        is_cut=second.is_cut,
    )
