"""Use pdfium to extract positioned text pieces from a PDF, and images of its pages.

pdfium is not thread-safe, not even across documents. To read several files at a time, use several
processes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import sqrt
from statistics import median_low
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.documents.content import Content
from rag.documents.pdf.glyphs import Floats, Glyphs, PdfPage, Whole, glyphs_of
from rag.documents.pdf.page import Piece, Sheet
from rag.errors import LoadError, PasswordRequired

Pdf: TypeAlias = Any
"""An open pypdfium2 document (pypdfium2 ships no types)."""

_Edge = TypeVar("_Edge", float, Floats)

_HEADER = b"%PDF-"
_HEADER_WITHIN = 1024
_WIDE_GAP = 1.0
"""In em: a gap this wide ends a piece. Gaps between columns are wider, and those between words of a
justified line narrower."""
_NEW_LINE = 0.55
"""In em: a vertical offset that starts a new line. Superscripts and subscripts have less."""
_SMALL_GAP = 0.2
"""In em: minimum width of a space in rotated text, where pdfium detects none."""
_MOST_NESTED = 3
_ALL_BOLD = 0.95
_GARBLED = 0.5
_LEAST_GARBLED = 20
_FEW_LETTERS = 500
_DOTS_PER_POINT = 300 / 72
"""Resolution for OCR: 10-point letters come out 40 pixels high, which tesseract reads best."""
_MOST_DOTS = 20_000_000
"""Maximum number of pixels, slightly more than an A3 page; larger pages get a lower resolution."""
_LONGEST_EDGE = 30_000
"""In pixels; tesseract rejects images of 32,768 or more."""

PROTECTED = "this PDF is protected by a password"
_NO_PASSWORD = f"{PROTECTED}; give it when you index, or save a copy without one"
_NO_PASSWORD_FITS = f"{PROTECTED}, and none of the given ones opens it; check them"

_HYPHEN = 0x02  # pdfium's code for a hyphen at the end of a line
_BLANKS = np.array([0x09, 0x0A, 0x0D, 0x20, 0xA0, 0x2002, 0x2003, 0x2009, 0x3000])
_MEANINGLESS = np.array([0xFFFD, *range(0xE000, 0xF900)])  # the range is the private use area
_BLANK = 0x20
_LAST = 0x10FFFF
_LETTERS = str.maketrans(
    {
        "\ufb00": "ff",
        "\ufb01": "fi",
        "\ufb02": "fl",
        "\ufb03": "ffi",
        "\ufb04": "ffl",
        "\ufb05": "st",
        "\ufb06": "st",
        "\x02": "-",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class PagePicture:
    """Image of a page: shape (rows, columns), uint8, 0 black and 255 white, top row first, at
    ``dots`` pixels per point.
    """

    pixels: NDArray[np.uint8]
    dots: float


@contextmanager
def open_pdf(content: Content, passwords: Sequence[str] = ()) -> Iterator[Pdf]:
    """Open the PDF in ``content`` for the duration of a block, trying ``passwords`` if it is
    protected.

    Raises LoadError if it is not a PDF, is damaged beyond reading, or none of the passwords fits.
    """
    import pypdfium2 as pdfium  # type: ignore[import-untyped,unused-ignore]
    from pypdfium2 import raw  # type: ignore[import-untyped,unused-ignore]

    if not len(content):
        raise LoadError("the file is empty; get another copy of it")
    if _HEADER not in content[:_HEADER_WITHIN]:
        raise LoadError("it is not a PDF, despite its name; check what kind of file it is")
    try:
        pdf = _unlock(_input_of(content), passwords)
    except pdfium.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise PasswordRequired(_NO_PASSWORD_FITS if passwords else _NO_PASSWORD) from error
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise LoadError(
                "it is protected in a way that can't be opened here; save an unprotected copy"
            ) from error
        raise LoadError(
            "the PDF is damaged or cut short, and no page can be read; get it again"
        ) from error
    try:
        yield pdf
    finally:
        pdf.close()


def _input_of(content: Content) -> object:
    """Input for pypdfium2 that does not copy a mapping."""
    if isinstance(content, bytes):
        return content
    mapped = np.frombuffer(content, np.uint8)
    found = (ctypes.c_ubyte * len(content)).from_address(mapped.ctypes.data)
    found.mapped = mapped  # type: ignore[attr-defined]  # for as long as this lives
    return found


def _unlock(data: object, passwords: Sequence[str]) -> Pdf:
    """Open the PDF without a password or with the first that fits; raises pdfium's own error."""
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    for password in passwords:
        try:
            return pdfium.PdfDocument(data, password=password)
        except pdfium.PdfiumError as error:
            if error.err_code != raw.FPDF_ERR_PASSWORD:
                raise
    return pdfium.PdfDocument(data)


def is_whole(pdf: Pdf) -> bool:
    """Whether the cross-reference table is valid; otherwise pdfium had to reconstruct it."""
    from pypdfium2 import raw

    return bool(raw.FPDF_DocumentHasValidCrossReferenceTable(pdf))


def read_page(pdf: Pdf, index: int) -> Sheet | None:
    """Read a page, counted from 0; None if it can't be read."""
    import pypdfium2 as pdfium

    try:
        page = pdf[index]
    except pdfium.PdfiumError:
        return None
    try:
        return _sheet(page)
    except pdfium.PdfiumError:
        return None
    finally:
        page.close()


def render_page(pdf: Pdf, index: int) -> PagePicture:
    """Render a page, counted from 0, at 300 dpi unless it is huge.

    Raises LoadError if it can't be rendered.
    """
    import pypdfium2 as pdfium

    page = pdf[index]
    try:
        width, height = (max(edge, 1.0) for edge in page.get_size())
        dots = min(
            _DOTS_PER_POINT,
            sqrt(_MOST_DOTS / (width * height)),
            _LONGEST_EDGE / max(width, height),
        )
        return PagePicture(page.render(scale=dots, grayscale=True).to_numpy(), dots)
    except (pdfium.PdfiumError, ValueError) as error:  # ValueError: zero width or height
        raise LoadError("can't be drawn for OCR") from error
    finally:
        page.close()


def _sheet(page: PdfPage) -> Sheet:
    left, bottom, right, top = page.get_bbox()
    letters = glyphs_of(page)
    pictured = 0.0
    if letters is None or len(letters.code) < _FEW_LETTERS:  # otherwise it is not a scan
        pictured = _image_share(page, abs((right - left) * (top - bottom)))
    if letters is None or _is_garbled(letters.code):
        return Sheet((), (), bottom, top, pictured, garbled=letters is not None)
    turns = np.bincount(letters.turn[~np.isin(letters.code, _BLANKS)], minlength=4)
    most = int(turns.argmax())
    pieces = {turn: tuple(_pieces(letters, turn)) for turn in range(4) if turns[turn]}
    _, low, _, high = _upright(most, left, bottom, right, top)
    return Sheet(
        pieces=pieces.pop(most, ()),
        turned=tuple(piece for others in pieces.values() for piece in others),
        bottom=float(low),
        top=float(high),
        pictured=pictured,
    )


def _image_share(page: PdfPage, area: float) -> float:
    """Share of the page covered by its largest image, at most 1; 0 without images."""
    from pypdfium2 import raw

    largest = 0.0
    for thing in page.get_objects([raw.FPDF_PAGEOBJ_IMAGE], max_depth=_MOST_NESTED):
        left, bottom, right, top = thing.get_bounds()
        if thing.level:  # its coordinates are the form's own, unrelated to the page
            largest = max(largest, 0.5)
        elif area > 0:
            largest = max(largest, abs((right - left) * (top - bottom)) / area)
    return min(largest, 1.0)


def _is_garbled(codes: Whole) -> bool:
    """Whether most characters are meaningless: the font has no Unicode mapping."""
    codes = codes[~np.isin(codes, _BLANKS)]
    unknown = np.isin(codes, _MEANINGLESS) | ((codes < _BLANK) & (codes != _HYPHEN))
    return len(codes) >= _LEAST_GARBLED and float(unknown.mean()) > _GARBLED


def _upright(
    turn: int,
    left: _Edge,
    bottom: _Edge,
    right: _Edge,
    top: _Edge,
) -> tuple[_Edge, _Edge, _Edge, _Edge]:
    """Rotate a box back by ``turn`` quarter turns."""
    if turn == 1:
        return bottom, -right, top, -left
    if turn == 2:  # noqa: PLR2004 - quarters
        return -right, -top, -left, -bottom
    if turn == 3:  # noqa: PLR2004 - quarters
        return -top, left, -bottom, right
    return left, bottom, right, top


def _pieces(letters: Glyphs, turn: int) -> Iterator[Piece]:
    """Yield the pieces of one text direction, in file order."""
    seen = np.flatnonzero((letters.turn == turn) & ~np.isin(letters.code, _BLANKS))
    if not len(seen):
        return
    left, _, right, _ = _upright(
        turn, letters.left[seen], letters.bottom[seen], letters.right[seen], letters.top[seen]
    )
    _, base, _, _ = _upright(
        turn, letters.x[seen], letters.y[seen], letters.x[seen], letters.y[seen]
    )
    size, code, bold = letters.size[seen], letters.code[seen], letters.bold[seen]
    widest = np.maximum(size[1:], size[:-1])
    # In either direction: Hebrew and Arabic run right to left.
    gap = np.maximum(left[1:] - right[:-1], left[:-1] - right[1:])
    ends = (np.abs(np.diff(base)) > _NEW_LINE * widest) | (gap > _WIDE_GAP * widest)
    blank = gap > _SMALL_GAP * widest if turn else np.diff(seen) > 1
    starts = np.concatenate([[0], np.flatnonzero(ends) + 1, [len(seen)]])
    # Most pieces are short: lists are faster than tiny arrays.
    lefts, rights, bases = left.tolist(), right.tolist(), base.tolist()
    sizes, bolds = size.tolist(), bold.tolist()
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        text = _text(code[start:end], blank[start : end - 1])
        if text:
            yield Piece(
                text=text,
                left=min(lefts[start:end]),
                right=max(rights[start:end]),
                base=median_low(bases[start:end]),
                size=median_low(sizes[start:end]),
                bold=sum(bolds[start:end]) > _ALL_BOLD * (end - start),
            )


def _text(codes: Whole, blank: NDArray[np.bool_]) -> str:
    """The characters, with a space after each position marked in ``blank``."""
    characters = [
        chr(code) if code == _HYPHEN or _BLANK <= code <= _LAST else "" for code in codes.tolist()
    ]
    for at in np.flatnonzero(blank).tolist():
        characters[at] += " "
    text = "".join(characters).translate(_LETTERS).strip()
    if any("\ud800" <= character <= "\udfff" for character in text):  # halves of surrogate pairs
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
