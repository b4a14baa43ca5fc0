from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from many_files import zipped

from rag.documents.formats.epub import load_epub
from rag.errors import LoadError

_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)
_BOOK = """<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>The lamp &amp; the wick</dc:title><dc:creator>Ada Lovelace</dc:creator>
<dc:creator>Jane Doe</dc:creator><dc:date>1843-09-05</dc:date><dc:language>en</dc:language>
</metadata><manifest>
<item id="one" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="two" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="toc" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="pic" href="pic.png" media-type="image/png"/>
</manifest><spine toc="toc"><itemref idref="nav"/><itemref idref="two"/><itemref idref="one"/>
<itemref idref="pic"/><itemref idref="none"/></spine></package>"""
_ONE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.w3.org/TR/xhtml11/DTD/xhtml11.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x.js"/></head><body>
<h1><a id="start"/>Oil</h1><p>Oil burns&nbsp;slowly.</p><ul><li>whale oil</li></ul>
<h2>Its price</h2><table><tr><td>Year</td><td>Sum</td></tr><tr><td>1843</td><td>3</td></tr></table>
</body></html>"""
_TWO = "<html><body><p>It was dark, said Zoë.</p><p/><p>And late.</p></body></html>"
_NAV = """<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><h1>Contents</h1><ol>
<li><a href="text/two%20b.xhtml#x">Prologue</a></li></ol></nav></body></html>"""
_NCX = """<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel>
<text>Foreword</text></navLabel><content src="text/two%20b.xhtml"/></navPoint></navMap></ncx>"""


def _book(changes: Mapping[str, str | bytes | None] | None = None) -> bytes:
    parts: dict[str, str | bytes | None] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": _CONTAINER,
        "OEBPS/book.opf": _BOOK,
        "OEBPS/nav.xhtml": _NAV,
        "OEBPS/toc.ncx": _NCX,
        "OEBPS/text/one.xhtml": _ONE,
        "OEBPS/text/two b.xhtml": _TWO,
    }
    parts |= changes or {}
    return zipped({name: content for name, content in parts.items() if content is not None})


TEXT = """\
Prologue

It was dark, said Zoë.

And late.

Oil

Oil burns slowly.

- whale oil

Its price

Year | Sum
1843 | 3"""


def test_chapters_come_in_the_order_of_reading() -> None:
    """The spine decides; a chapter without a heading has the one of the contents. The book has the
    package's title, authors, date and language.
    """
    loaded = load_epub(_book())
    assert loaded.text == TEXT
    assert [(h.level, h.span.of(loaded.text)) for h in loaded.headings] == [
        (1, "Prologue"),
        (1, "Oil"),
        (2, "Its price"),
    ]
    assert loaded.title == "The lamp & the wick"
    assert loaded.date == dt.date(1843, 9, 5)
    assert loaded.metadata == {
        "author": "Ada Lovelace, Jane Doe",
        "language": "en",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
        "language_from": "file",
    }


def test_older_books_have_their_contents_in_another_form() -> None:
    """Without the new table of contents, the old one gives the headings."""
    assert load_epub(_book({"OEBPS/nav.xhtml": None})).text.startswith("Foreword\n\nIt was dark")


def test_a_missing_chapter_costs_itself_alone() -> None:
    """The others are read, and the missing one is named."""
    loaded = load_epub(_book({"OEBPS/text/one.xhtml": None}))
    assert loaded.text == "Prologue\n\nIt was dark, said Zoë.\n\nAnd late."
    (warning,) = loaded.warnings
    assert warning.startswith("OEBPS/text/one.xhtml was left out: a part of it is missing")


def _encryption(name: str) -> str:
    return (
        '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
        f'<enc:CipherData><enc:CipherReference URI="{name}"/></enc:CipherData>'
        "</enc:EncryptedData></encryption>"
    )


def test_scrambled_fonts_are_no_protection() -> None:
    """Many free books have scrambled fonts; their words are for everybody."""
    changes = {"META-INF/encryption.xml": _encryption("OEBPS/font.otf")}
    assert load_epub(_book(changes)).text == TEXT


def test_nesting_of_any_depth_is_read() -> None:
    """A chapter of 20,000 boxes inside each other has its words."""
    deep = "<div>" * 20_000 + "in the middle" + "</div>" * 20_000
    assert "in the middle" in load_epub(_book({"OEBPS/text/one.xhtml": deep})).text


@pytest.mark.parametrize(
    ("part", "content", "reason"),
    [
        ("META-INF/container.xml", None, "not a valid EPUB"),
        ("META-INF/container.xml", "<container/>", "names no book"),
        ("META-INF/encryption.xml", _encryption("OEBPS/text/one.xhtml"), "copy-protected"),
        ("OEBPS/book.opf", None, "missing"),
    ],
)
def test_what_is_no_book(part: str, content: str | None, reason: str) -> None:
    """A book that names no text, or whose text is encrypted, is refused."""
    with pytest.raises(LoadError, match=reason):
        load_epub(_book({part: content}))
