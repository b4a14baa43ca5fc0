"""Render a PDF page as an image, and locate words of its text on it.

The text was tidied when loaded: lines joined, hyphenation undone, ligatures resolved, columns put
in order, footnotes moved, headers left out. But every line is still in one piece, so the lines of
the page are found again in its text one after the other, by their letters and digits.
"""

from __future__ import annotations

import functools
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from rag.documents.pdf.file import Pdf
from rag.documents.pdf.glyphs import BLANKS, WIDE_GAP, Glyphs, PdfPage, Whole, glyphs_of
from rag.errors import InputError, LoadError

LEAST_WIDTH, MOST_WIDTH = 50, 3000
"""Image width in pixels."""

_MOST_PIXELS = 16_000_000
"""Maximum number of pixels; for a very tall page the width is reduced."""
_LONGEST_EDGE = 16_000
_EFFORT = 3
"""PNG compression level out of 9: higher is slower, and text even gets larger."""
_SAME_LINE = 4.0
"""In em: words up to this far apart share a box, including the gap."""
_DEPTH, _HEIGHT = 0.25, 0.85
"""In em: extent of letters below and above the baseline. Font metrics are often too small and cut
off the tops."""
_MOST_MARKS = 3
"""Maximum number of adjacent quotation marks and full stops, on either side, included in a
sentence's box."""
_SURE = 8
"""Letters that tell a line where it isn't expected."""
_LONGEST_WORD = 40
_MOST_COMPARED = 20_000_000
"""Maximum number of letters of a text times lines of a page; with more, the page is malicious."""
_HALVES = (0xD800, 0xDC00, 0xE000)
_LAST = 0x10FFFF


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page rendered on white: PNG data and size in pixels."""

    png: bytes = field(repr=False)
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, as shares of the page's width and height, from 0 to 1.

    ``x`` and ``y`` are its left and top edges, from the page's upper left corner.
    """

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PageText:
    """The text of a page, of which ``start`` to ``end`` is to be located."""

    text: str
    start: int
    end: int


def page_image(pdf: Pdf, index: int, width: int) -> PageImage:
    """Render a page, counted from 0, ``width`` pixels wide.

    The width is reduced if the image would exceed 16 million pixels.

    Raises
    ------
    InputError
        If there is no such page, or the width is not from 50 to 3000 pixels.
    LoadError
        If the page can't be rendered.
    """
    import pypdfium2 as pdfium  # type: ignore[import-untyped,unused-ignore]

    if not LEAST_WIDTH <= width <= MOST_WIDTH:
        raise InputError(
            f"a page is drawn {LEAST_WIDTH} to {MOST_WIDTH} pixels wide, not {width}; "
            "choose a width between these"
        )
    page = _page(pdf, index)
    try:
        across, down = (max(edge, 1.0) for edge in page.get_size())
        most = min(width, sqrt(_MOST_PIXELS * across / down), _LONGEST_EDGE * across / down)
        # pdfium rounds up; slightly less gives exactly the width.
        picture = page.render(scale=(most - 0.01) / across, rev_byteorder=True).to_pil()
    except (pdfium.PdfiumError, ValueError) as error:  # ValueError: zero width or height
        raise LoadError(f"page {index + 1} is damaged and can't be drawn") from error
    finally:
        page.close()
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=_EFFORT)
    return PageImage(buffer.getvalue(), picture.width, picture.height)


def locate(pdf: Pdf, index: int, sought: PageText) -> tuple[Box, ...]:
    """Locate words on a page, counted from 0: one box per line, in text order.

    Empty if not all of the words are found, or the page is only an image.

    Raises
    ------
    InputError
        If there is no such page.
    LoadError
        If the page can't be read.
    """
    import pypdfium2 as pdfium

    page = _page(pdf, index)
    try:
        glyphs = glyphs_of(page) if sought.start < sought.end else None
        if glyphs is None:
            return ()
        paper = _Paper.of(page)
    except pdfium.PdfiumError as error:
        raise LoadError(f"page {index + 1} is damaged and can't be read") from error
    finally:
        page.close()
    boxes = (
        paper.box(glyphs, line)
        for first, last in _glyphs_of_words(glyphs, sought)
        for line in glyphs.lines(np.arange(first, last + 1), _SAME_LINE)
    )
    return tuple(box for box in boxes if box)


def _page(pdf: Pdf, index: int) -> PdfPage:
    import pypdfium2 as pdfium

    if not 0 <= index < len(pdf):
        count = f"{len(pdf)} page" if len(pdf) == 1 else f"{len(pdf)} pages"
        raise InputError(f"there is no page {index + 1}; the file has {count}")
    try:
        return pdf[index]
    except pdfium.PdfiumError as error:
        raise LoadError(f"page {index + 1} is damaged and can't be read") from error


def _glyphs_of_words(glyphs: Glyphs, sought: PageText) -> list[tuple[int, int]]:
    """First and last glyph of each part of the words that the file has in one piece."""
    characters = _characters(glyphs.code)
    lines: list[str] = []
    owners: list[list[int]] = []  # of each line, the glyph of each of its letters
    for line in glyphs.lines(np.arange(len(glyphs.code)), WIDE_GAP):
        if letters := "".join(characters[at] for at in line.tolist()):
            lines.append(letters)
            owners.append([at for at in line.tolist() for _ in characters[at]])
    start, end = (len(fold(sought.text[:at])) for at in (sought.start, sought.end))
    text = fold(sought.text)
    found: list[tuple[int, int]] = []
    after = -1
    for at, number, first, length in find_lines(text, lines):
        begin, stop = max(start, at), min(end, at + length)
        if begin >= stop:
            continue
        if begin > start:
            return []
        glyph, last = (owners[number][first + letter - at] for letter in (begin, stop - 1))
        if found and number == after and not first:
            glyph = found.pop()[0]
        found.append((glyph, last))
        start, after = stop, number + 1
    # The last word may go on on the next page.
    if start < end - (_LONGEST_WORD if end == len(text) else 0):
        return []
    return [_with_punctuation(glyphs.code, first, last) for first, last in found]


def find_lines(text: str, lines: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Find the lines of a page in its text, in which they may come in any order and some may be
    missing; it may begin and end inside a line. Both are folded, and no line is empty.

    Yields where a line begins in the text, its number, its first letter there, and their number.
    """
    if len(text) * len(lines) > _MOST_COMPARED:
        return
    left = dict(enumerate(lines))
    at, following, least = 0, 0, 1
    while at < len(text):
        expected = following if least == 1 else None
        parts = list(_parts(text, at, left, least)) or list(_ends(text, at, left, expected))
        if not parts:
            at, least = at + 1, _SURE
            continue
        number, first = max(
            parts,
            key=lambda one: (one[0] == following, len(left[one[0]]), -abs(one[0] - following)),
        )
        length = min(len(left.pop(number)) - first, len(text) - at)
        yield at, number, first, length
        at, following, least = at + length, number + 1, 1


def _parts(text: str, at: int, lines: Mapping[int, str], least: int) -> Iterator[tuple[int, int]]:
    """The lines with which a text goes on, and the first letter of each: whole lines if there are
    any.
    """
    whole = [
        number for number, line in lines.items() if len(line) >= least and text.startswith(line, at)
    ]
    if whole:
        yield from ((number, 0) for number in whole)
        return
    key = text[at : at + _SURE]
    for number, line in lines.items():
        first = line.find(key)
        if first >= 0 and len(key) == _SURE and text.startswith(line[first:], at):
            yield number, first


def _ends(
    text: str, at: int, lines: Mapping[int, str], expected: int | None
) -> Iterator[tuple[int, int]]:
    """The line inside of which a text ends, and its first letter: the expected one, or, if the text
    begins inside it too, any.
    """
    rest = text[at:]
    for number, line in lines.items():
        first = line.find(rest)
        if (number == expected and first == 0) or (at == 0 and first >= 0 and len(rest) >= _SURE):
            yield number, first


def fold(text: str) -> str:
    """Letters and digits of a text, without case, accents and ligatures."""
    return "".join(map(_fold_character, text))


@functools.lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """Fold one character: empty for a mark, several letters for a ligature."""
    apart = unicodedata.normalize("NFKD", character)
    return "".join(one for one in apart.casefold() if one.isalnum())


def _characters(codes: Whole) -> list[str]:
    """The character to compare for each code; for a surrogate pair, at its first half."""
    high, low, after = _HALVES
    found: list[str] = []
    values = codes.tolist()
    for code, following in zip(values, [*values[1:], 0], strict=True):
        if high <= code < low <= following < after:
            code = 0x10000 + ((code - high) << 10) + following - low  # noqa: PLW2901
        found.append(_fold_character(chr(code)) if code <= _LAST else "")
    return found


def _with_punctuation(codes: Whole, first: int, last: int) -> tuple[int, int]:
    """Extend a range of letters by adjacent punctuation."""

    def is_mark(at: int) -> bool:
        if not 0 <= at < len(codes):
            return False
        code = int(codes[at])
        return code not in BLANKS and 0x20 < code <= _LAST and not chr(code).isalnum()  # noqa: PLR2004

    for _ in range(_MOST_MARKS):
        first -= is_mark(first - 1)
        last += is_mark(last + 1)
    return first, last


@dataclass(frozen=True, slots=True)
class _Paper:
    """The visible part of a page, in points, and its clockwise rotation."""

    left: float
    bottom: float
    right: float
    top: float
    quarters: int

    @classmethod
    def of(cls, page: PdfPage) -> _Paper:
        left, bottom, right, top = page.get_bbox()
        return cls(left, bottom, right, top, page.get_rotation() // 90)

    def box(self, glyphs: Glyphs, line: Whole) -> Box | None:
        """The box around letters of one line; None if it is entirely outside the page."""
        turn, size = int(glyphs.turn[line[0]]), float(np.median(glyphs.size[line]))
        base = float(np.median(glyphs.base[line]))
        across = [base - _DEPTH * size, base + _HEIGHT * size]
        if turn in (1, 2):
            across = [-across[1], -across[0]]
        left, top, right, bottom = glyphs.edges[line].T
        if turn % 2:
            edges = [*across, bottom.min(), top.max()]
        else:
            edges = [left.min(), right.max(), *across]
        width, height = self.right - self.left, self.top - self.bottom
        if width <= 0 or height <= 0:
            return None
        first, last = ((edge - self.left) / width for edge in edges[:2])
        low, high = ((edge - self.bottom) / height for edge in edges[2:])
        x, y = (
            ((first, last), (1 - high, 1 - low)),
            ((low, high), (first, last)),
            ((1 - last, 1 - first), (low, high)),
            ((1 - high, 1 - low), (1 - last, 1 - first)),
        )[self.quarters % 4]
        x0, x1, y0, y1 = (min(max(float(edge), 0.0), 1.0) for edge in (*x, *y))
        return Box(x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None
