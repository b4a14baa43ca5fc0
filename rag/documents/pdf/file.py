"""Use pdfium to extract positioned text pieces from a PDF.

pdfium is not thread-safe, not even across documents. To read several files at a time, use several
processes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median_low
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag.documents.content import Content
from rag.documents.pdf.annotations import annotations_of, filled_in, has_form
from rag.documents.pdf.glyphs import WIDE_GAP, Floats, Glyphs, PdfPage, Whole, glyphs_of
from rag.documents.pdf.legibility import are_meaningless, is_legible
from rag.documents.pdf.page import Piece, Sheet
from rag.errors import LoadError, PasswordRequired

Pdf: TypeAlias = Any
"""An open pypdfium2 document (pypdfium2 ships no types)."""

_HEADER = b"%PDF-"
_HEADER_WITHIN = 1 << 16
_SMALL_GAP = 0.2
"""In em: minimum width of a space in rotated text, where pdfium detects none."""
_MOST_NESTED = 3
_ALL_BOLD = 0.95
_FEW_LETTERS = 500

_PROTECTED = "this PDF is protected by a password"
_NO_PASSWORD = f"{_PROTECTED}; give it when you index, or save a copy without one"
_NO_PASSWORD_FITS = f"{_PROTECTED}, and none of the given ones opens it; check them"

_EXPONENT_SIZE, _RAISED = 0.85, 0.2
"""Maximum size of an exponent, in that of its base, and minimum height above it, in em."""
_DIGITS = range(ord("0"), ord("9") + 1)
_SIGNS = frozenset(map(ord, "+-\u2212\u2013"))
_HYPHEN = 0x02  # pdfium's code for a hyphen at the end of a line
_BLANK = 0x20
_LAST = 0x10FFFF
_LIGATURES = ("ff", "fi", "fl", "ffi", "ffl", "st", "st")  # U+FB00 to U+FB06
_LETTERS = {_HYPHEN: "-", **dict(enumerate(_LIGATURES, 0xFB00))}


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
    start = find_header(content)
    if start < 0:
        raise LoadError("it is not a PDF, despite its name; check what kind of file it is")
    try:
        pdf = _unlock(_input_of(content, start), passwords)
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
    pdf.init_forms()  # before any page is opened, so that form fields are read and drawn
    try:
        yield pdf
    finally:
        pdf.close()


def find_header(content: Content) -> int:
    """Where the PDF begins in ``content``, usually 0; -1 if there is none.

    Programs that generate or send a PDF may have printed something before it.
    """
    return content.find(_HEADER, 0, _HEADER_WITHIN)


def _input_of(content: Content, start: int) -> object:
    """Input for pypdfium2 that does not copy a mapping; without what precedes the header."""
    if isinstance(content, bytes):
        return content[start:]
    mapped = np.frombuffer(content, np.uint8, offset=start)
    found = (ctypes.c_ubyte * len(mapped)).from_address(mapped.ctypes.data)
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


def is_placeholder(pdf: Pdf) -> bool:
    """Whether the only page asks to wait for a form that is described in XML (XFA), which programs
    that know it draw instead.
    """
    import pypdfium2 as pdfium
    from pypdfium2 import raw

    kind = pdf.get_formtype()
    if kind not in (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND) or len(pdf) != 1:
        return False
    if kind == raw.FORMTYPE_XFA_FULL:
        return True
    try:
        page = pdf[0]
    except pdfium.PdfiumError:
        return False
    try:
        return not has_form(page)
    finally:
        page.close()


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


def _sheet(page: PdfPage) -> Sheet:
    left, bottom, right, top = page.get_bbox()
    glyphs = glyphs_of(page)
    annotations = annotations_of(page)
    pictured = 0.0
    if glyphs is None or len(glyphs.code) < _FEW_LETTERS:  # otherwise it is not a scan
        pictured = _image_share(page, abs((right - left) * (top - bottom)))
    garbled = glyphs is not None and are_meaningless(glyphs.code[~glyphs.blank])
    pieces: dict[int, tuple[Piece, ...]] = {}
    most = 0
    if glyphs is not None and not garbled:
        turns = np.bincount(glyphs.turn[~glyphs.blank], minlength=4)
        most = int(turns.argmax())
        pieces = {turn: tuple(_pieces(glyphs, turn)) for turn in range(4) if turns[turn]}
        if not is_legible(glyphs, [piece.text for side in pieces.values() for piece in side]):
            garbled, pieces = True, {}
    printed = pieces.pop(most, ())
    low, high = ((bottom, top), (-right, -left), (-top, -bottom), (left, right))[most]
    return Sheet(
        pieces=(*printed, *filled_in(annotations.fields, most, printed)),
        turned=tuple(piece for others in pieces.values() for piece in others),
        bottom=float(low),
        top=float(high),
        pictured=pictured,
        garbled=garbled,
        notes=annotations.notes,
        is_crowded=not annotations.is_complete,
        has_files=annotations.has_files,
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


def _pieces(glyphs: Glyphs, turn: int) -> Iterator[Piece]:
    """Yield the pieces of one text direction, in file order."""
    seen = np.flatnonzero((glyphs.turn == turn) & ~glyphs.blank)
    code = glyphs.code[seen]
    ends = glyphs.line_ends(seen, WIDE_GAP)
    blank = glyphs.wide_gaps(seen, _SMALL_GAP) if turn else np.diff(seen) > 1
    starts = np.concatenate([[0], np.flatnonzero(ends) + 1, [len(seen)]])
    # Most pieces are short: lists are faster than tiny arrays.
    lefts, rights, bases, sizes, bolds = (
        each[seen].tolist()
        for each in (glyphs.left, glyphs.right, glyphs.base, glyphs.size, glyphs.bold)
    )
    exponents = _exponents(code, glyphs.size[seen], glyphs.base[seen], blank | ends)
    for start, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        raised = [at - start for at in exponents if start < at < end]
        text = _text(code[start:end], blank[start : end - 1], raised)
        if text:
            yield Piece(
                text=text,
                left=min(lefts[start:end]),
                right=max(rights[start:end]),
                base=median_low(bases[start:end]),
                size=median_low(sizes[start:end]),
                bold=sum(bolds[start:end]) > _ALL_BOLD * (end - start),
            )


def _exponents(codes: Whole, size: Floats, base: Floats, apart: NDArray[np.bool_]) -> list[int]:
    """Where numbers are raised to a power: raised digits after a number or a single letter.

    After a word they are the number of a footnote. ``apart`` tells after which characters there is
    a gap.
    """
    raised = (
        (size[1:] < _EXPONENT_SIZE * size[:-1]) & (np.diff(base) > _RAISED * size[:-1]) & ~apart
    )
    found: list[int] = []
    for at in (np.flatnonzero(raised) + 1).tolist():
        sign = codes[at] in _SIGNS and at + 1 < len(codes) and not apart[at]
        alone = at == 1 or apart[at - 2] or not _is_alphanumeric(codes[at - 2])
        if codes[at + sign] in _DIGITS and (
            codes[at - 1] in _DIGITS or (alone and _is_alphanumeric(codes[at - 1]))
        ):
            found.append(at)
    return found


def _is_alphanumeric(code: int) -> bool:
    return _BLANK <= code <= _LAST and chr(code).isalnum()


def _text(codes: Whole, blank: NDArray[np.bool_], exponents: Sequence[int]) -> str:
    """The characters, with a space after each position marked in ``blank``, and a mark before
    each of the ``exponents``.
    """
    characters = [
        chr(code) if code == _HYPHEN or _BLANK <= code <= _LAST else "" for code in codes.tolist()
    ]
    for at in np.flatnonzero(blank).tolist():
        characters[at] += " "
    for at in exponents:
        characters[at] = f"^{characters[at]}"
    text = "".join(characters).translate(_LETTERS).strip()
    if any("\ud800" <= character <= "\udfff" for character in text):  # halves of surrogate pairs
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
