from __future__ import annotations

import time

from rag.documents.formats.xml_text import load_xml
from rag.documents.loaded import Loaded


def _load(source: str) -> Loaded:
    (loaded,) = load_xml(source.encode())
    return loaded


def test_a_manual() -> None:
    """Titles are headings, and running text is not broken by the elements in it."""
    loaded = _load(
        "<book><title>Boats</title><chapter><title>Sails</title>"
        "<para>The <emphasis>red</emphasis> sail.</para></chapter></book>"
    )
    assert loaded.text == "Boats\n\nSails\n\nThe red sail."
    assert [one.level for one in loaded.headings] == [1, 2]


def test_words_and_blocks_in_one_element() -> None:
    """Blocks are paragraphs; what may be part of a word is left as it is written."""
    loaded = _load(
        "<text><p>Tides in harbours<item>Alpha and <b>B</b>eta</item><item>Gamma</item>of H"
        "<sub>2</sub>O</p><p>Low<lb/>wa<lb break='no'/>ter at<note>St. Ives</note>noon</p>"
        "<p>By <first>Ada</first><last>Lovelace</last> and un<stress>believ</stress>able</p></text>"
    )
    assert loaded.text == (
        "Tides in harbours\n\nAlpha and Beta\n\nGamma\n\nof H2O\n\n"
        "Low water at St. Ives noon\n\nBy Ada Lovelace and unbelievable"
    )


def test_records() -> None:
    """Short values are lines with their names, those of a record together."""
    loaded = _load("<orders><o><item>Oar</item><qty>2</qty></o><o><item>Mast</item></o></orders>")
    assert loaded.text == "item: Oar\nqty: 2\n\nitem: Mast"


def test_words_in_attributes() -> None:
    """An outline has all its words there; drawings are not words."""
    loaded = _load(
        '<opml><body><outline text="Garden"><outline text="Prune the tree"/></outline>'
        '<path d="M 1 2"/></body></opml>'
    )
    assert loaded.text == "Garden\n  Prune the tree"


def test_data_in_attributes() -> None:
    """Elements without text have theirs there; those of chapters and of text are for programs."""
    loaded = _load(
        '<shop x:y="no" xmlns:x="u"><add key="Timeout" value="30"/><sale id="7" by="Ada">'
        '<item sku="AB-1" colour="red" qty="3"/></sale><chapter id="c1"><title>Sails</title>'
        '<note id="n1">Red</note></chapter></shop>'
    )
    words = " ".join(loaded.text.split())
    assert words == (
        "key: Timeout value: 30 id: 7 by: Ada sku: AB-1 colour: red qty: 3 Sails note: Red"
    )


def test_no_words_at_all() -> None:
    """The file is read as plain text rather than refused."""
    assert _load('<svg><path d="M 1 2"/></svg>').text == '<svg><path d="M 1 2"/></svg>'


def test_pages_in_feeds() -> None:
    """They are read as HTML."""
    page = "&lt;p&gt;The bridge &amp;amp; quay.&lt;/p&gt;&lt;p&gt;B&lt;/p&gt;"
    loaded = _load(f"<item><d>{page}</d></item>")
    assert loaded.text == "The bridge & quay.\n\nB"


def test_what_is_not_well_formed_is_text() -> None:
    """So is a file with entities of its own, which are never expanded."""
    assert _load("<a>unclosed").text == "<a>unclosed"
    assert _load('<!DOCTYPE a [<!ENTITY x "y">]><a>&x; z</a>').text.endswith("<a>&x; z</a>")


def test_it_takes_no_time() -> None:
    """However many or deep its elements are, or however many attributes one has."""
    start = time.perf_counter()
    _load("<a>" + "<b>x</b>" * 50_000 + "</a>")
    _load("<a>" * 5_000 + "x")
    _load("<a " + " ".join(f'a{n}="x"' for n in range(50_000)) + "/>")
    assert time.perf_counter() - start < 5
