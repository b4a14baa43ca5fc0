"""XML that names other files, or itself many times over, in whatever encoding it hides."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest
from small_files import zipped
from small_packages import PACKAGES
from whole import whole

from rag.documents.formats.docx import load_docx
from rag.documents.formats.epub import load_epub
from rag.documents.formats.html import load_html as html_parts
from rag.documents.formats.opendocument import load_odt
from rag.documents.formats.spreadsheet import load_xlsx as xlsx_parts
from rag.documents.loaded import Loaded
from rag.errors import LoadError

load_xlsx = whole(xlsx_parts)

load_html = whole(html_parts)

_LAUGHS = '<!ENTITY a "haha">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in itertools.pairwise("abcdefghij")
)
DECLARED = {
    "many times over": (f"[{_LAUGHS}]", "&j;", ""),
    "in an attribute": (f"[{_LAUGHS}]", "", ' y="&j;"'),
    "another file": ('[<!ENTITY j SYSTEM "file:///etc/passwd">]', "&j;", ""),
    "over the network": ('SYSTEM "http://127.0.0.1:9/x.dtd"', "&j;", ""),
    "a parameter": ('[<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]', "", ""),
}
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
PARTS: dict[str, tuple[Callable[[bytes], Loaded], str, str]] = {
    "docx": (
        load_docx,
        "word/document.xml",
        (
            '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"{}>'
            "<w:body><w:p><w:r><w:t>safe {}</w:t></w:r></w:p></w:body></w:document>"
        ),
    ),
    "xlsx": (
        load_xlsx,
        "xl/worksheets/sheet1.xml",
        (
            '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"{}><sheetData>'
            '<row r="1"><c r="A1" t="inlineStr"><is><t>safe {}</t></is></c></row></sheetData>'
            "</worksheet>"
        ),
    ),
    "odt": (
        load_odt,
        "content.xml",
        (
            f'<office:document-content xmlns:office="{_OFFICE}:office:1.0" '
            f'xmlns:text="{_OFFICE}:text:1.0"{{}}><office:body><office:text>'
            "<text:p>safe {}</text:p></office:text></office:body></office:document-content>"
        ),
    ),
    "epub": (load_epub, "a.xhtml", "<html{}><body><p>safe {}</p></body></html>"),
}


@pytest.mark.parametrize("declared", DECLARED)
@pytest.mark.parametrize("kind", PARTS)
def test_entities_are_never_followed(kind: str, declared: str) -> None:
    """The file is refused, or read without them; nothing grows, and nothing of this machine is
    looked at. That UTF-32 and EBCDIC hide the declaration changes nothing.
    """
    load, part, body = PARTS[kind]
    document_type, used, attribute = DECLARED[declared]
    for encoding, codec in (("utf-8", "utf-8"), ("utf-32", "utf-32"), ("cp037", "cp037")):
        written = (
            f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x {document_type}>'
            f"{body.format(attribute, used)}"
        )
        began = time.process_time()
        try:
            text = load(zipped({**PACKAGES[kind][-1], part: written.encode(codec)})).text
        except LoadError:
            text = ""
        assert len(text) < 100
        assert "root:" not in text
        assert time.process_time() - began < 20
    page = load_html(written.encode("utf-8", "replace")).text
    assert "root:" not in page
