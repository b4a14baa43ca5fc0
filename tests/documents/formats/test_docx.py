from __future__ import annotations

import datetime as dt
import io
import time

import docx
from many_files import zipped

from rag.documents.formats.docx import load_docx
from rag.documents.loaded import Loaded

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def _headings(loaded: Loaded) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(loaded.text)) for heading in loaded.headings]


def _relations(**targets: str) -> str:
    inside = "".join(
        f'<Relationship Id="r{kind}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for kind, target in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{inside}</Relationships>'


def _by_hand(body: str, *, namespace: str = _W, **notes: str) -> bytes:
    parts = {
        "_rels/.rels": _relations(officeDocument="word/document.xml"),
        "word/_rels/document.xml.rels": _relations(**{kind: f"{kind}.xml" for kind in notes}),
        "word/document.xml": f'<w:document xmlns:w="{namespace}" xmlns:mc="http://'
        f'schemas.openxmlformats.org/markup-compatibility/2006"><w:body>{body}</w:body>'
        "</w:document>",
    }
    for kind, content in notes.items():
        parts[f"word/{kind}.xml"] = f'<w:{kind} xmlns:w="{namespace}">{content}</w:{kind}>'
    return zipped(parts)


def _paragraph(words: str) -> str:
    return f"<w:p><w:r><w:t>{words}</w:t></w:r></w:p>"


_WORD = "<w:r><w:t>Oil</w:t></w:r>"


def _lamp() -> bytes:
    document = docx.Document()
    document.core_properties.title = "About lamps"
    document.core_properties.author = "Ada Lovelace"
    document.core_properties.modified = dt.datetime(2024, 3, 5, 12, tzinfo=dt.UTC)
    document.add_heading("The lamp", 0)
    document.add_heading("Oil", 1)
    document.add_paragraph("Oil burns slowly.")
    document.add_paragraph("whale oil", style="List Bullet")
    document.add_paragraph("rape oil", style="List Bullet")
    document.add_paragraph("Fill it.", style="List Number")
    document.add_paragraph("Light it.", style="List Number")
    table = document.add_table(rows=2, cols=2)
    for place, words in zip(table._cells, ("Year", "Sum", "2024", "3.5"), strict=True):
        place.text = words
    document.add_heading("The wick", 2)
    document.add_paragraph("The wick is of cotton.")
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


LAMP = """\
The lamp

Oil

Oil burns slowly.

- whale oil
- rape oil

1. Fill it.
2. Light it.

Year | Sum
2024 | 3.5

The wick

The wick is of cotton."""


def test_headings_lists_and_tables_stand_in_their_order() -> None:
    """A document as python-docx writes it, part by part, with its properties."""
    loaded = load_docx(_lamp())
    assert loaded.text == LAMP
    assert _headings(loaded) == [(1, "The lamp"), (1, "Oil"), (2, "The wick")]
    assert loaded.title == "About lamps"
    assert loaded.date == dt.date(2024, 3, 5)
    assert loaded.metadata == {
        "author": "Ada Lovelace",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
    }


def test_notes_follow_their_paragraph() -> None:
    """A footnote's words come after the paragraph that names it, an endnote's likewise."""
    loaded = load_docx(
        _by_hand(
            '<w:p><w:r><w:t>Dug in 1803</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r>'
            '<w:r><w:endnoteReference w:id="2"/></w:r><w:r><w:t xml:space="preserve"> by hand.'
            f"</w:t></w:r></w:p>{_paragraph('And so on.')}",
            footnotes=f'<w:footnote w:type="separator" w:id="0">{_paragraph("no")}</w:footnote>'
            f'<w:footnote w:id="2">{_paragraph("Or 1804.")}</w:footnote>',
            endnotes=f'<w:endnote w:id="2">{_paragraph("Says Jane.")}</w:endnote>',
        )
    )
    assert loaded.text == (
        "Dug in 1803 by hand.\n\nNote 1: Or 1804.\n\nNote 2: Says Jane.\n\nAnd so on."
    )


def test_text_boxes_follow_their_paragraph_once() -> None:
    """The box is there twice in the file, for new programs and for old ones."""
    box = f"<w:txbxContent>{_paragraph('In the box.')}</w:txbxContent>"
    loaded = load_docx(
        _by_hand(
            "<w:p><w:r><w:t>Before </w:t></w:r><w:r><mc:AlternateContent><mc:Choice>"
            f"{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
            "<w:r><w:t>and after.</w:t></w:r></w:p>"
        )
    )
    assert loaded.text == "Before and after.\n\nIn the box."


def test_tracked_changes_are_read_as_accepted() -> None:
    """What was put in is read, what was struck out is not; nor is formatting."""
    loaded = load_docx(
        _by_hand(
            "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr><w:del><w:r><w:delText>Old"
            "</w:delText></w:r></w:del><w:ins><w:r><w:t>New</w:t></w:r></w:ins><w:r><w:tab/>"
            "<w:t>lamp</w:t><w:br/><w:t>burns</w:t></w:r></w:p>"
        )
    )
    assert loaded.text == "New lamp\nburns"


def test_content_controls_and_the_strict_form_are_read() -> None:
    """Words inside a form field, in a file of ISO's strict kind, count as any others."""
    body = f"<w:sdt><w:sdtContent>{_paragraph('In a field.')}</w:sdtContent></w:sdt>"
    assert load_docx(_by_hand(body, namespace=_STRICT)).text == "In a field."


def test_an_outline_level_makes_a_heading() -> None:
    """A paragraph may be a heading without a style of that name."""
    body = '<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr><w:r><w:t>Oil</w:t></w:r></w:p>'
    assert _headings(load_docx(_by_hand(body))) == [(2, "Oil")]


def test_without_properties_the_first_heading_is_the_title() -> None:
    """Nothing is said to be from the properties then."""
    loaded = load_docx(_by_hand('<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr>' + _WORD + "</w:p>"))
    assert loaded.title == "Oil"
    assert loaded.metadata == {}


def test_hidden_words_are_left_out() -> None:
    """What Word hides is not on the page; where it says "not hidden", it is."""
    run = "<w:r><w:rPr><w:vanish{}/></w:rPr><w:t>{}</w:t></w:r>"
    hidden, shown = run.format("", " no"), run.format(' w:val="0"', " yes")
    assert load_docx(_by_hand(f"<w:p>{_WORD}{hidden}{shown}</w:p>")).text == "Oil yes"


def test_the_table_of_contents_is_left_out() -> None:
    """With its own heading, which has no style that says so."""
    contents = (
        '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj>'
        f"</w:sdtPr><w:sdtContent>{_paragraph('Contents')}{_paragraph('Oil 3')}</w:sdtContent>"
        "</w:sdt>"
    )
    assert load_docx(_by_hand(contents + _paragraph("Oil burns."))).text == "Oil burns."


def test_a_list_starts_where_it_says() -> None:
    """A list may start elsewhere than others of its kind."""
    item = '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="{}"/></w:numPr></w:pPr>{}</w:p>'
    numbering = (
        '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="2"/><w:numFmt '
        'w:val="decimal"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/>'
        '</w:num><w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0">'
        '<w:startOverride w:val="7"/></w:lvlOverride></w:num>'
    )
    body = item.format(1, _WORD) + _paragraph("And") + item.format(2, _WORD)
    assert load_docx(_by_hand(body, numbering=numbering)).text == "2. Oil\n\nAnd\n\n7. Oil"


def test_parts_in_another_format_are_named() -> None:
    """Some programs store a whole page of HTML where the words should be."""
    loaded = load_docx(_by_hand(_paragraph("Oil.") + "<w:altChunk/>"))
    (warning,) = loaded.warnings
    assert warning.startswith("parts of it are stored in another format and were left out; ")


def test_styles_are_looked_at_once() -> None:
    """Thousands of styles based on one of a hundred thousand properties, and on each other."""
    large = '<w:style w:styleId="a">' + "<w:qFormat/>" * 100_000 + "</w:style>"
    chain = "".join(
        f'<w:style w:styleId="{name}{i}"><w:basedOn w:val="{base}"/></w:style>'
        for i in range(5_000)
        for name, base in (("b", "a"), ("c", f"c{i - 1}" if i else "c4999"))
    )
    body = '<w:p><w:pPr><w:pStyle w:val="c4000"/></w:pPr>' + _WORD + "</w:p>"
    began = time.process_time()
    assert load_docx(_by_hand(body, styles=large + chain)).text == "Oil"
    assert time.process_time() - began < 20  # it was minutes
