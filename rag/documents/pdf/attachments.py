"""Files attached to a PDF, which are documents of their own."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any, TypeAlias

from rag.documents.loaded import Member, safe_name
from rag.documents.pdf.annotations import MOST_ANNOTATIONS, read_string
from rag.documents.pdf.file import Pdf
from rag.types import Failure

_Handle: TypeAlias = Any
"""An attachment, as pdfium refers to it."""

_MOST = 10_000
_LARGEST = 48 << 20
"""Maximum size of an attachment, in bytes: pdfium and ctypes hold copies of it."""

_TOO_LARGE = f"it is larger than {_LARGEST >> 20} MiB; save it from the PDF, and index it by itself"
_DAMAGED = "it is damaged in the PDF; save it from there with another program"
_TOO_MANY = f"the PDF has more than {_MOST:,} attachments; save the others from it"

_LONGEST_COVER, _NAMED_WITHIN = 800, 150
"""Maximum characters of the page that Acrobat makes, and those in which it names itself."""
_ACROBAT = re.compile(r"Acrobat|Adobe Reader")

_COLLECTION = re.compile(
    rb"(?<!\d)(\d{1,10}) 0 obj\s{0,9}<<(?:(?!obj|stream).){0,2000}?/Collection\s{0,9}(?:<<|\d)",
    re.DOTALL,
)
_ROOT = re.compile(rb"/Root (\d{1,10}) 0 R")
_OVERLAP = 2_100


def only_holds_files(pdf: Pdf) -> bool:
    """Whether the PDF is a portfolio (ISO 32000-2, 12.3.5) whose only page is the one that Acrobat
    makes, which asks to open it there.
    """
    return (
        len(pdf) == 1
        and pdf.count_attachments() > 0
        and _asks_for_acrobat(pdf)
        and _is_portfolio(pdf)
    )


def _asks_for_acrobat(pdf: Pdf) -> bool:
    """Whether the first page has few words, which begin with the name of the program: that is the
    same in every language.
    """
    import pypdfium2 as pdfium  # type: ignore[import-untyped,unused-ignore]

    try:
        page = pdf[0]
    except pdfium.PdfiumError:
        return False
    with closing(page), closing(page.get_textpage()) as text:
        is_short = text.count_chars() <= _LONGEST_COVER
        return is_short and _ACROBAT.search(text.get_text_range()[:_NAMED_WITHIN]) is not None


def _is_portfolio(pdf: Pdf) -> bool:
    import pypdfium2 as pdfium

    search = _CollectionSearch()
    try:
        pdf.save(search)
    except pdfium.PdfiumError:
        return False
    return search.found


class _CollectionSearch:
    """A file that keeps nothing of what is written to it but whether its catalog names a
    collection.

    pdfium has no call that tells, and in the original the catalog may be compressed. Attached PDFs
    have catalogs, too.
    """

    def __init__(self) -> None:
        self._naming: set[bytes] = set()  # numbers of objects
        self._root = self._end = b""

    @property
    def found(self) -> bool:
        """Whether the catalog, to which the end of the file points, names a collection."""
        return self._root in self._naming

    def write(self, data: Iterable[int]) -> None:
        """Search the next bytes of a PDF."""
        piece = self._end + bytes(data)
        self._naming.update(_COLLECTION.findall(piece))
        self._root = next(reversed(_ROOT.findall(piece)), self._root)
        self._end = piece[-_OVERLAP:]


def attachments_of(pdf: Pdf, pages: Iterable[int]) -> Iterator[Member | Failure]:
    """Yield the files attached to the document, then those attached to ``pages``."""
    handles = chain(_of_document(pdf), *(_of_page(pdf, page) for page in pages))
    for number, handle in enumerate(islice(handles, _MOST), 1):
        yield _member(handle, f"attachment {number}")
    if next(handles, None):
        yield Failure("more attachments", _TOO_MANY)


def _of_document(pdf: Pdf) -> Iterator[_Handle]:
    from pypdfium2 import raw  # type: ignore[import-untyped,unused-ignore]

    for at in range(pdf.count_attachments()):
        yield raw.FPDFDoc_GetAttachment(pdf, at)


def _of_page(pdf: Pdf, index: int) -> Iterator[_Handle]:
    """The files attached to a place on a page."""
    from pypdfium2 import raw

    page = pdf[index]
    try:
        for at in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_ANNOTATIONS)):
            annotation = raw.FPDFPage_GetAnnot(page, at)
            if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_FILEATTACHMENT:
                yield raw.FPDFAnnot_GetFileAttachment(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
    finally:
        page.close()


def _member(handle: _Handle, stand_in: str) -> Member | Failure:
    """The file, called ``stand_in`` if it has no name."""
    from pypdfium2 import raw

    size = ctypes.c_ulong()
    name = safe_name(read_string(lambda *into: raw.FPDFAttachment_GetName(handle, *into)))
    name = name or stand_in
    if not raw.FPDFAttachment_GetFile(handle, None, 0, size):
        return Failure(name, _DAMAGED)
    if size.value > _LARGEST:
        return Failure(name, _TOO_LARGE)
    buffer = (ctypes.c_char * size.value)()
    raw.FPDFAttachment_GetFile(handle, buffer, size, size)
    return Member(name, bytes(buffer))
