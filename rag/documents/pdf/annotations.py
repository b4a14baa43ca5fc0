"""Annotations of a page (ISO 32000-2, 12.5): the values of its form fields, and people's notes.

Neither is part of the text that pdfium gives for the page.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from rag.documents.pdf.glyphs import PdfPage
from rag.documents.pdf.page import Piece
from rag.documents.whitespace import one_line

_Handle: TypeAlias = Any
"""An annotation or a form, as pdfium refers to it."""

MOST_ANNOTATIONS = 10_000
"""Maximum number of annotations read per page."""
_MOST_QUOTED = 10
"""Maximum number of lines that a note quotes."""
_MOST_OPTIONS = 1_000

_TYPED = "FreeTextTypeWriter"
"""Intent of a text that is typed onto the page, as into a form that has no fields."""
_CHECKED, _NOT_CHECKED = "[checked]", "[ ]"
_ONE_LINE = 30.0
"""In points: a field higher than this is for several lines."""
_SIZE = 0.7
"""Ratio of the font size in a field of one line to its height."""
_SMALLEST, _LARGEST = 4.0, 12.0
_BASE = 0.35
"""In em: how far the baseline is below the middle of a line."""
_LEADING = 1.2
_LINE_ENDS = re.compile(r"[\r\n]+")


@dataclass(frozen=True, slots=True)
class Field:
    """What is filled into a form field, and its edges on the page, in points."""

    text: str
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class Annotations:
    """The filled fields and the notes of a page, and whether files are attached to it.

    ``is_complete`` unless there are too many.
    """

    fields: tuple[Field, ...]
    notes: tuple[str, ...]
    has_files: bool
    is_complete: bool


def annotations_of(page: PdfPage) -> Annotations:
    """The annotations of a page that aren't hidden, in file order.

    Of forms, all but buttons, signatures and passwords are read. A note begins with who wrote it
    and which words it is about, if this is known.
    """
    from pypdfium2 import raw  # type: ignore[import-untyped,unused-ignore]

    fields: list[Field] = []
    notes: list[str] = []
    has_files = False
    count = raw.FPDFPage_GetAnnotCount(page)
    for at in range(min(count, MOST_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if not annotation:
            continue
        try:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            has_files |= kind == raw.FPDF_ANNOT_FILEATTACHMENT
            if raw.FPDFAnnot_GetFlags(annotation) & raw.FPDF_ANNOT_FLAG_HIDDEN:
                continue
            if kind == raw.FPDF_ANNOT_WIDGET:
                fields += _field(annotation, _filled_text(page.formenv, annotation))
            elif kind == raw.FPDF_ANNOT_FREETEXT and _entry(annotation, b"IT") == _TYPED:
                fields += _field(annotation, _entry(annotation, b"Contents"))
            elif kind not in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
                notes += _note(page, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    is_complete = count <= MOST_ANNOTATIONS
    return Annotations(tuple(fields), tuple(notes), has_files, is_complete)


def has_form(page: PdfPage) -> bool:
    """Whether the page has form fields, filled or not."""
    from pypdfium2 import raw

    for at in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_ANNOTATIONS)):
        annotation = raw.FPDFPage_GetAnnot(page, at)
        if annotation:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if kind == raw.FPDF_ANNOT_WIDGET:
                return True
    return False


def _field(annotation: _Handle, text: str) -> Iterator[Field]:
    """What is filled in at the place of an annotation, if anything is."""
    from pypdfium2 import raw

    edges = raw.FS_RECTF()
    if text.strip() and raw.FPDFAnnot_GetRect(annotation, edges):
        left, right = sorted((edges.left, edges.right))
        bottom, top = sorted((edges.bottom, edges.top))
        yield Field(text, left, bottom, right, top)


def _filled_text(form: _Handle | None, annotation: _Handle) -> str:
    """What is filled into a field; empty for buttons, signatures and passwords."""
    from pypdfium2 import raw

    match raw.FPDFAnnot_GetFormFieldType(form, annotation) if form else -1:
        case raw.FPDF_FORMFIELD_CHECKBOX | raw.FPDF_FORMFIELD_RADIOBUTTON:
            return _CHECKED if raw.FPDFAnnot_IsChecked(form, annotation) else _NOT_CHECKED
        case raw.FPDF_FORMFIELD_COMBOBOX | raw.FPDF_FORMFIELD_LISTBOX:
            return ", ".join(_chosen(form, annotation)) or _value(form, annotation)
        case raw.FPDF_FORMFIELD_TEXTFIELD:
            flags = raw.FPDFAnnot_GetFormFieldFlags(form, annotation)
            is_secret = flags & raw.FPDF_FORMFLAG_TEXT_PASSWORD
            return "" if is_secret else _value(form, annotation)
        case -1:  # no form lists the field, as in files that were merged
            state = _entry(annotation, b"AS")
            value = "" if _entry(annotation, b"FT") == "Btn" else _entry(annotation, b"V")
            return value or (state and (_NOT_CHECKED if state == "Off" else _CHECKED))
    return ""


def _value(form: _Handle, annotation: _Handle) -> str:
    from pypdfium2 import raw

    return read_string(lambda *into: raw.FPDFAnnot_GetFormFieldValue(form, annotation, *into))


def _chosen(form: _Handle, annotation: _Handle) -> Iterator[str]:
    """The options chosen from a list, as they are shown."""
    from pypdfium2 import raw

    count = raw.FPDFAnnot_GetOptionCount(form, annotation)
    for at in range(min(count, _MOST_OPTIONS)):
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, at):
            yield read_string(
                lambda *into, at=at: raw.FPDFAnnot_GetOptionLabel(form, annotation, at, *into)
            )


def _note(page: PdfPage, annotation: _Handle) -> Iterator[str]:
    text = _entry(annotation, b"Contents")
    if not text:
        return
    author = one_line(_entry(annotation, b"T"))
    quoted = one_line(" ".join(_quoted(page, annotation)))
    if quoted == one_line(text):  # some programs copy the highlighted text
        return
    about = f" on “{quoted}”" if quoted else ""
    yield f"Note{f' by {author}' if author else ''}{about}: {text}"


def _entry(annotation: _Handle, key: bytes) -> str:
    """A string or name in the annotation's dictionary; empty if there is none."""
    from pypdfium2 import raw

    text = read_string(lambda *into: raw.FPDFAnnot_GetStringValue(annotation, key, *into))
    return text.strip()


def _quoted(page: PdfPage, annotation: _Handle) -> Iterator[str]:
    """The lines of text that an annotation highlights, underlines or strikes out."""
    from pypdfium2 import raw

    count = min(raw.FPDFAnnot_CountAttachmentPoints(annotation), _MOST_QUOTED)
    if not raw.FPDFAnnot_HasAttachmentPoints(annotation) or not count:
        return
    textpage = page.get_textpage()
    try:
        for at in range(count):
            corners = raw.FS_QUADPOINTSF()
            if raw.FPDFAnnot_GetAttachmentPoints(annotation, at, corners):
                x = (corners.x1, corners.x2, corners.x3, corners.x4)
                y = (corners.y1, corners.y2, corners.y3, corners.y4)
                yield textpage.get_text_bounded(min(x), min(y), max(x), max(y))
    finally:
        textpage.close()


def read_string(read: Callable[..., int]) -> str:
    """A string that pdfium writes into a buffer, as UTF-16, and of which it tells the size."""
    size = read(None, 0)
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    read(buffer, size)
    return bytes(buffer)[: max(size - 2, 0)].decode("utf-16-le", "replace")


def filled_in(fields: Sequence[Field], turn: int, printed: Sequence[Piece]) -> Iterator[Piece]:
    """Place the values of a form among the ``printed`` pieces of the page, whose direction is
    ``turn``: each field on the line of its label, which is the nearest text at its height.
    """
    bases, lefts, rights = (
        np.array([getattr(piece, name) for piece in printed]) for name in ("base", "left", "right")
    )
    for field in fields:
        left, bottom, right, top = (
            (field.left, field.bottom, field.right, field.top),
            (field.bottom, -field.right, field.top, -field.left),
            (-field.right, -field.top, -field.left, -field.bottom),
            (-field.top, field.left, -field.bottom, field.right),
        )[turn]
        height = top - bottom
        first_line = top - min(height, _ONE_LINE)
        size = min(max(_SIZE * min(height, _ONE_LINE), _SMALLEST), _LARGEST)
        base = (top + first_line) / 2 - _BASE * size
        level = np.flatnonzero((bases >= first_line) & (bases <= top))
        if len(level):
            apart = np.maximum(left - rights[level], lefts[level] - right)
            label = printed[int(level[apart.argmin()])]
            base, size = label.base, label.size
        for line in filter(str.strip, _LINE_ENDS.split(field.text)):
            yield Piece(one_line(line), left, right, base, size, bold=False, is_field=True)
            base -= _LEADING * size
