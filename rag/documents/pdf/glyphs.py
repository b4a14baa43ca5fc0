"""A page's characters as given by pdfium: code, position, style."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]

PdfPage: TypeAlias = Any
"""An open pypdfium2 page (pypdfium2 ships no types)."""

BLANKS = np.array([0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x2002, 0x2003, 0x2009, 0x3000])
"""Character codes of white space."""

WIDE_GAP = 1.0
"""In em: a gap this wide ends a piece of text. Gaps between columns are wider, and those between
words of a justified line narrower."""
_NEW_LINE = 0.55
"""In em: a vertical offset that starts a new line. Superscripts and subscripts have less."""

_FAR = 1 << 20
_LEAST_EDGE = 1.0
_SHIFT = 0.12
"""In em: letters drawn twice are at most this far apart. The narrowest letters are 0.2 em wide."""

_BOLD = re.compile(r"bold|black|heavy|demi|-medi|cmbx|cmssbx|sfbx|ecbx|\bBX\d", re.IGNORECASE)
_FORCED_BOLD = 1 << 18
"""Flag in a PDF font descriptor."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A page's characters as parallel arrays, in points.

    ``edges`` are left, top, right and bottom on the page. ``left``, ``right`` and ``base`` are
    positions after each line is rotated upright; ``turn`` counts its anticlockwise quarter turns.
    """

    code: Whole
    edges: Floats
    left: Floats
    right: Floats
    base: Floats
    size: Floats
    bold: NDArray[np.bool_]
    turn: Whole
    blank: NDArray[np.bool_]

    def only(self, kept: NDArray[np.bool_]) -> Glyphs:
        """Those of the characters that are ``kept``."""
        return Glyphs(*(getattr(self, field.name)[kept] for field in fields(self)))

    def lines(self, chosen: Whole, gap: float) -> list[Whole]:
        """Group the chosen glyphs, given by index, into lines without gaps wider than ``gap``
        em, and leave out blanks.
        """
        seen = chosen[~self.blank[chosen]]
        return np.split(seen, np.flatnonzero(self.line_ends(seen, gap)) + 1) if len(seen) else []

    def wide_gaps(self, chosen: Whole, gap: float) -> NDArray[np.bool_]:
        """Whether more than ``gap`` em separate each of the chosen glyphs from the next, in either
        direction: Hebrew and Arabic run right to left.
        """
        left, right, size = self.left[chosen], self.right[chosen], self.size[chosen]
        apart = np.maximum(left[1:] - right[:-1], left[:-1] - right[1:])
        wide: NDArray[np.bool_] = apart > gap * np.maximum(size[1:], size[:-1])
        return wide

    def line_ends(self, chosen: Whole, gap: float) -> NDArray[np.bool_]:
        """Whether the next of the chosen glyphs is on another line, or further away than ``gap``
        em.
        """
        size = self.size[chosen]
        ends: NDArray[np.bool_] = (
            (np.diff(self.turn[chosen]) != 0)
            | (np.abs(np.diff(self.base[chosen])) > _NEW_LINE * np.maximum(size[1:], size[:-1]))
            | self.wide_gaps(chosen, gap)
        )
        return ends


def glyphs_of(page: PdfPage) -> Glyphs | None:
    """The page's visible characters, each once; None if there are none.

    pdfium returns one property of one character per call. Properties constant within a text object
    (size, direction, baseline) are queried once per object.
    """
    from pypdfium2 import raw  # type: ignore[import-untyped,unused-ignore]

    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        if not count:
            return None
        handle = textpage.raw
        unicode, box, thing = (
            raw.FPDFText_GetUnicode,
            raw.FPDFText_GetLooseCharBox,
            raw.FPDFText_GetTextObject,
        )
        boxes = (raw.FS_RECTF * count)()
        codes = np.array([unicode(handle, at) for at in range(count)], np.int64)
        style_of: list[int] = []
        styles: list[tuple[float, float, float, float, float]] = []
        bold_fonts: dict[int, bool] = {}
        before = -1
        for at in range(count):
            box(handle, at, boxes[at])
            found = thing(handle, at)
            address = ctypes.addressof(found.contents) if found else 0
            if address != before:
                before = address
                styles.append(_style(handle, at, found, bold_fonts))
            style_of.append(len(styles) - 1)
        edges = np.frombuffer(boxes, np.float32).reshape(count, 4).astype(np.float64)
    finally:
        textpage.close()
    blank = np.isin(codes, BLANKS)
    owner = np.array(style_of)
    x, y, size, bold, turns = np.array(styles, np.float64)[owner].T
    kept = blank | _visible(edges, owner, page.get_bbox())
    for again in _doubled(codes, edges, size, owner, blank):
        kept[again] = False
    turn = turns.astype(np.int64)
    left, top, right, bottom = edges.T
    glyphs = Glyphs(
        code=codes,
        edges=edges,
        left=np.choose(turn, [left, bottom, -right, -top]),
        right=np.choose(turn, [right, top, -left, -bottom]),
        base=np.choose(turn, [y, -x, -y, x]),
        size=size,
        bold=bold > 0,
        turn=turn,
        blank=blank,
    )
    return glyphs if kept.all() else glyphs.only(kept)


def _visible(
    edges: Floats, owner: Whole, paper: tuple[float, float, float, float]
) -> NDArray[np.bool_]:
    """Whether each character, or another of its text object, is on the visible part of the page."""
    left, bottom, right, top = paper
    if right - left < _LEAST_EDGE or top - bottom < _LEAST_EDGE:  # the box is damaged
        return np.full(len(edges), fill_value=True)
    x, y = (edges[:, 0] + edges[:, 2]) / 2, (edges[:, 1] + edges[:, 3]) / 2
    inside = (left <= x) & (x <= right) & (bottom <= y) & (y <= top)
    visible: NDArray[np.bool_] = np.bincount(owner, inside)[owner] > 0
    return visible


def _doubled(
    codes: Whole, edges: Floats, size: Floats, owner: Whole, blank: NDArray[np.bool_]
) -> Iterator[Whole]:
    """Yield the indices of characters drawn once more in nearly the same place, to look bold.

    They are in other text objects than the first ones: the letters of a ligature share a place,
    too.
    """
    seen = np.flatnonzero(~blank)
    places, reach = edges[seen, :2], _SHIFT * size[seen, None]
    # Neighbours share a cell of one of four grids. If none do in the first, few can in others.
    for offset in ((0, 0), (0, 0.5), (0.5, 0), (0.5, 0.5)):
        cells = np.nan_to_num(places / (2 * reach) + offset).clip(-_FAR, _FAR).astype(np.int64)
        order = np.argsort((codes[seen] << 42) + (cells[:, 0] << 21) + cells[:, 1], kind="stable")
        first, again = order[:-1], order[1:]
        doubled = (
            (codes[seen[first]] == codes[seen[again]])
            & (owner[seen[first]] != owner[seen[again]])
            & (np.abs(places[again] - places[first]) <= reach[again]).all(axis=1)
        )
        if not doubled.any():
            return
        yield seen[again[doubled]]


def _style(
    handle: Any,  # noqa: ANN401 - of pdfium
    at: int,
    thing: Any,  # noqa: ANN401 - of pdfium
    bold_fonts: dict[int, bool],
) -> tuple[float, float, float, float, float]:
    """Style of the text object that begins ``at``: x, y, size, bold, quarter turns."""
    from pypdfium2 import raw

    x, y, matrix = ctypes.c_double(), ctypes.c_double(), raw.FS_MATRIX()
    raw.FPDFText_GetCharOrigin(handle, at, x, y)
    size = raw.FPDFText_GetFontSize(handle, at)
    turn = 0
    if raw.FPDFText_GetMatrix(handle, at, matrix):
        size *= float(np.hypot(matrix.c, matrix.d)) or 1.0
        turn = round(float(np.degrees(np.arctan2(matrix.b, matrix.a))) / 90) % 4
    font = raw.FPDFTextObj_GetFont(thing) if thing else None
    bold = False
    if font:
        address = ctypes.addressof(font.contents)
        if address not in bold_fonts:
            bold_fonts[address] = _is_bold(font)
        bold = bold_fonts[address]
    return x.value, y.value, max(abs(size), 0.1), float(bold), float(turn)


def _is_bold(font: Any) -> bool:  # noqa: ANN401 - of pdfium
    """Judge by the font's name, as weights in PDFs are often wrong."""
    from pypdfium2 import raw

    name = ctypes.create_string_buffer(256)
    raw.FPDFFont_GetBaseFontName(font, name, len(name))
    if _BOLD.search(name.value.decode("latin-1")):
        return True
    flags = raw.FPDFFont_GetFlags(font)
    return flags > 0 and bool(flags & _FORCED_BOLD)
