"""Files attached to PDFs are documents of their own."""

from __future__ import annotations

import ctypes
import io
from pathlib import Path

import pypdfium2.raw as pdfium
import pytest
from pdf_files import LEFT, RIGHT, catalogued, drawn, made, picture
from pypdfium2 import PdfDocument

from rag.documents.registry import load
from rag.errors import LoadError
from rag.types import Document, Failure

LETTER = made(drawn(*LEFT))
PLAN = made(drawn(*RIGHT))


def with_files(data: bytes, **files: bytes) -> bytes:
    """The PDF with files attached; in their names, an underscore stands for a dot."""
    pdf = PdfDocument(data)
    for name, content in files.items():
        pdf.new_attachment(name.replace("_", ".")).set_data(content)
    return saved(pdf)


def saved(pdf: PdfDocument) -> bytes:
    """The bytes of a PDF."""
    buffer = io.BytesIO()
    pdf.save(buffer)
    return buffer.getvalue()


def with_pinned_file(data: bytes, name: str, content: bytes) -> bytes:
    """The PDF with a file attached to a place on its first page."""
    pdf = PdfDocument(data)
    page = pdf[0]
    annotation = pdfium.FPDFPage_CreateAnnot(page, pdfium.FPDF_ANNOT_FILEATTACHMENT)
    written = ctypes.create_string_buffer(name.encode("utf-16-le") + b"\0\0")
    file = pdfium.FPDFAnnot_AddFileAttachment(
        annotation, ctypes.cast(written, ctypes.POINTER(ctypes.c_ushort))
    )
    pdfium.FPDFAttachment_SetFile(file, pdf, content, len(content))
    pdfium.FPDFPage_CloseAnnot(annotation)
    return saved(pdf)


def read(folder: Path, data: bytes) -> dict[str, str]:
    """What is in a PDF, by its source below the PDF; failures by their reason."""
    path = folder / "a.pdf"
    path.write_bytes(data)
    return {
        one.source.removeprefix(str(path)): one.text if isinstance(one, Document) else one.reason
        for one in load(path)
    }


def test_attached_files_are_documents(tmp_path: Path) -> None:
    """A PDF and what is attached to it, to the whole of it or a place on a page, in any format."""
    data = with_files(LETTER, plan_pdf=PLAN, note_txt=b"Mind the tide.", odd_zip=b"PK?")
    found = read(tmp_path, with_pinned_file(data, "../pinned.md", b"# Pinned\n\nby hand"))
    reason = found.pop("/odd.zip")
    assert "damaged or cut off" in reason
    assert found == {
        "": " ".join(LEFT),
        "/plan.pdf": " ".join(RIGHT),
        "/note.txt": "Mind the tide.",
        "/pinned.md": "Pinned\n\nby hand",
    }


@pytest.mark.parametrize("entry", [b"/Collection << /View /T >>", b"/Collection 5 0 R"])
def test_the_page_that_acrobat_makes_for_a_portfolio_is_left_out(
    tmp_path: Path, entry: bytes
) -> None:
    """It only asks for that program, in whatever language."""
    cover = made(drawn("Para una mejor experiencia, abra esta cartera en Adobe Reader 9."))
    data = catalogued(with_files(cover, a_pdf=LETTER, b_txt=b"Mind the tide."), entry)
    assert read(tmp_path, data) == {"/a.pdf": " ".join(LEFT), "/b.txt": "Mind the tide."}


@pytest.mark.parametrize(
    "pages", [["Tenders for the new harbour wall"], ["The first", "The second"]]
)
def test_pages_of_its_own_in_a_portfolio_are_read(tmp_path: Path, pages: list[str]) -> None:
    """Someone wrote them: an index of the files, or a letter to go with them."""
    whole = with_files(made(*map(drawn, pages)), b_txt=b"Mind the tide.")
    found = read(tmp_path, catalogued(whole, b"/Collection << >>"))
    assert found == {"": "\n\n".join(pages), "/b.txt": "Mind the tide."}


def test_a_file_that_is_a_portfolio_is_read_in_turn(tmp_path: Path) -> None:
    """A portfolio may be attached to a letter, which is read too."""
    cover = made(drawn("For the best experience, open this in Acrobat."))
    inner = catalogued(with_files(cover, b_txt=b"Mind the tide."), b"/Collection << >>")
    assert read(tmp_path, with_files(LETTER, c_pdf=inner, d_txt=b"Ebb")) == {
        "": " ".join(LEFT),
        "/c.pdf/b.txt": "Mind the tide.",
        "/d.txt": "Ebb",
    }


def test_a_scan_with_an_attachment(tmp_path: Path) -> None:
    """What is attached is read, though nothing on the pages is, which is said."""
    found = read(tmp_path, with_files(made(picture), note_txt=b"Mind the tide."))
    assert found == {
        "": "no text layer: needs OCR (1 page)",
        "/note.txt": "Mind the tide.",
    }
    blank = with_files(made(drawn()), note_txt=b"Mind the tide.")
    assert read(tmp_path, blank) == {"/note.txt": "Mind the tide."}


def test_no_endless_nesting(tmp_path: Path) -> None:
    """Files in files in files are read to some depth, and that there is more is said."""
    data = LETTER
    for _ in range(8):
        data = with_files(LETTER, a_pdf=data)
    path = tmp_path / "b.pdf"
    path.write_bytes(data)
    *documents, last = load(path)
    assert len(documents) == 5
    assert isinstance(last, Failure)
    assert "nested" in last.reason


def test_a_portfolio_without_files_is_read_as_it_is(tmp_path: Path) -> None:
    """There is nothing else."""
    empty = made(drawn())
    with pytest.raises(LoadError, match="nothing to read"):
        read(tmp_path, catalogued(empty, b"/Collection << >>"))
