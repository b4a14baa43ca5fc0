"""What all zipped formats of XML parts share: broken, forged and hostile files are refused."""

from __future__ import annotations

import io
import itertools
import struct
import time
import zipfile
from collections.abc import Callable, Iterator

import pytest
from many_files import zipped
from small_packages import PACKAGES
from whole import whole

from rag.documents.formats.docx import load_docx
from rag.documents.formats.epub import load_epub
from rag.documents.formats.opendocument import load_odp, load_ods, load_odt
from rag.documents.formats.pptx import load_pptx
from rag.documents.formats.spreadsheet import load_xlsx
from rag.documents.loaded import Loaded
from rag.documents.office_zip import open_package
from rag.errors import LoadError

MAIN: dict[str, tuple[Callable[[bytes], Loaded | Iterator[Loaded]], str, str]] = {
    "docx": (load_docx, "word/document.xml", "Word document"),
    "pptx": (load_pptx, "ppt/presentation.xml", "PowerPoint presentation"),
    "xlsx": (load_xlsx, "xl/worksheets/sheet1.xml", "Excel workbook"),
    "odt": (load_odt, "content.xml", "OpenDocument file"),
    "odp": (load_odp, "content.xml", "OpenDocument file"),
    "ods": (load_ods, "content.xml", "OpenDocument file"),
    "epub": (load_epub, "book.opf", "EPUB"),
}
"""Loader, main part and name of each format."""

LAUGHS = '<!ENTITY a "haha">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in itertools.pairwise("abcdefghij")
)
OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
SAFE = {
    "docx": (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"{}>'
        "<w:body><w:p><w:r><w:t>safe {}</w:t></w:r></w:p></w:body></w:document>"
    ),
    "xlsx": (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"{}><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>safe {}</t></is></c></row></sheetData>'
        "</worksheet>"
    ),
    "odt": (
        f'<office:document-content xmlns:office="{OFFICE}:office:1.0" '
        f'xmlns:text="{OFFICE}:text:1.0"{{}}><office:body><office:text>'
        "<text:p>safe {}</text:p></office:text></office:body></office:document-content>"
    ),
    "epub": "<html{}><body><p>safe {}</p></body></html>",
}
"""A part of each format, with room for an attribute and for text."""


def _load(kind: str, data: bytes) -> Loaded:
    load = MAIN[kind][0]
    return whole(lambda: iter([one] if isinstance(one := load(data), Loaded) else one))()


def _with_part(kind: str, content: bytes, name: str = "") -> bytes:
    return zipped({**PACKAGES[kind][-1], (name or MAIN[kind][1]): content})


@pytest.mark.parametrize("kind", MAIN)
def test_what_cannot_be_read_is_said(kind: str) -> None:
    """Each broken or forged file is refused with its reason."""
    packed = zipped(PACKAGES[kind][-1])
    for data, reason in (
        (b"", "it is empty"),
        (b"Dear Sir or Madam", f"not a valid {MAIN[kind][2]}"),
        (packed[: len(packed) // 2], "cut short"),
        (_with_part(kind, b"<a>" * 999), "it is damaged"),
        (_with_part(kind, b"<a"), "it is damaged"),
        (_with_part(kind, b'<!DOCTYPE a [<!ENTITY a "b">]><a>&a;</a>'), "entities"),
        (_with_part(kind, b" " * (20 << 20)), "compressed more than"),
    ):
        with pytest.raises(LoadError, match=reason):
            _load(kind, data)


@pytest.mark.parametrize("kind", ["docx", "pptx", "xlsx"])
def test_another_zip(kind: str) -> None:
    """A file that names no main part of its kind is none."""
    for data in (zipped({"a.txt": b"x"}), zipped({"_rels/.rels": b"<Relationships/>"})):
        with pytest.raises(LoadError, match=f"not a valid {MAIN[kind][2]}"):
            _load(kind, data)


@pytest.mark.parametrize("kind", MAIN)
def test_damaged_bytes_never_crash(kind: str) -> None:
    """A byte changed anywhere is either read or refused."""
    data = zipped(PACKAGES[kind][-1])
    for at in range(0, len(data), len(data) // 30):
        broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        try:
            assert isinstance(_load(kind, broken).text, str)
        except LoadError as error:
            assert str(error)  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("document_type", "used", "attribute"),
    [
        (f"[{LAUGHS}]", "&j;", ""),
        (f"[{LAUGHS}]", "", ' y="&j;"'),
        ('[<!ENTITY j SYSTEM "file:///etc/passwd">]', "&j;", ""),
        ('SYSTEM "http://127.0.0.1:9/x.dtd"', "&j;", ""),
        ('[<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]', "", ""),
    ],
    ids=["many times over", "in an attribute", "another file", "over the network", "a parameter"],
)
@pytest.mark.parametrize("kind", SAFE)
def test_entities_are_never_followed(
    kind: str, document_type: str, used: str, attribute: str
) -> None:
    """The file is refused, or read without them; nothing grows, and nothing of this machine is
    looked at. That UTF-32 and EBCDIC hide the declaration changes nothing.
    """
    part = "a.xhtml" if kind == "epub" else ""
    for encoding in ("utf-8", "utf-32", "cp037"):
        written = (
            f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x {document_type}>'
            f"{SAFE[kind].format(attribute, used)}"
        )
        began = time.process_time()
        try:
            text = _load(kind, _with_part(kind, written.encode(encoding), part)).text
        except LoadError:
            text = ""
        assert len(text) < 100
        assert "root:" not in text
        assert time.process_time() - began < 20


def _zip(method: int, content: bytes = b"<a/>") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("a.xml", content)
    return file.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_ways_to_pack_that_the_formats_allow(method: int) -> None:
    """Office files and e-books are packed in one of two ways, or not at all."""
    assert open_package(_zip(method), "Word document").tree("a.xml").tag == "a"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_to_pack_are_refused(method: int) -> None:
    """A kilobyte of them may unpack to gigabytes at once, whatever size it claims to have."""
    true = 64 << 20
    data = _zip(method, bytes(true)).replace(struct.pack("<L", true), struct.pack("<L", 1 << 20))
    with pytest.raises(LoadError, match="its compression method isn't supported"):
        open_package(data, "Word document").read("a.xml")


def test_parts_are_not_read_again_and_again() -> None:
    """A file whose parts name one of them a million times ends before it takes a day."""
    package = open_package(_zip(zipfile.ZIP_STORED, bytes(4 << 20)), "Word document")
    for _ in range(7):  # a few times its size, and a few megabytes
        assert len(package.read("a.xml")) == 4 << 20
    with pytest.raises(LoadError, match=r"it uses the same part again and again \(a\.xml\)"):
        package.read("a.xml")
