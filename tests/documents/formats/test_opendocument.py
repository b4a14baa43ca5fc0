from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from many_files import zipped
from whole import whole

from rag.documents.formats.opendocument import load_odp, load_odt
from rag.documents.formats.opendocument import load_ods as ods_parts
from rag.documents.loaded import Loaded
from rag.errors import LoadError

load_ods = whole(ods_parts)

_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "presentation": "presentation",
        "style": "style",
        "meta": "meta",
        "svg": "svg-compatible",
    }.items()
)
_DUBLIN_CORE = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
_META = (
    f"<office:document-meta {_NAMESPACES} {_DUBLIN_CORE}>"
    "<office:meta><dc:title>About lamps</dc:title><dc:creator>Her Secretary</dc:creator>"
    "<meta:initial-creator>Ada Lovelace</meta:initial-creator>"
    "<dc:date>2024-03-05T12:00:00</dc:date><dc:language>en-GB</dc:language></office:meta>"
    "</office:document-meta>"
)
_NUMBERED = (
    '<office:automatic-styles><text:list-style style:name="L1">'
    '<text:list-level-style-number text:level="1"/></text:list-style>'
    '<style:style style:family="text" style:name="T1"><style:text-properties text:display="none"/>'
    '</style:style><style:style style:family="paragraph" style:name="T1"/>'
    '<style:style style:family="paragraph" style:name="P1"><style:text-properties '
    'text:display="none"/></style:style><style:style style:family="paragraph" style:name="P2" '
    'style:parent-style-name="Title"/></office:automatic-styles>'
)


def _file(kind: str, body: str, *, manifest: str = "<manifest/>", **more: str) -> bytes:
    content = (
        f"<office:document-content {_NAMESPACES} {_DUBLIN_CORE}>{_NUMBERED}<office:body>"
        f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    parts = {"META-INF/manifest.xml": manifest, "meta.xml": _META, "content.xml": content}
    return zipped(parts | more)


def _headings(loaded: Loaded) -> list[tuple[int, str]]:
    return [(heading.level, heading.span.of(loaded.text)) for heading in loaded.headings]


_LAMP = """
<text:h text:outline-level="1">Oil</text:h>
<text:p>Oil burns<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Some
say fast.</text:p></text:note-body></text:note><text:s/><text:span>slowly</text:span>.<draw:frame>
<draw:text-box><text:p>In a box.</text:p></draw:text-box></draw:frame></text:p>
<text:list><text:list-item><text:p>whale oil</text:p><text:list><text:list-item>
<text:p>of the north</text:p></text:list-item></text:list></text:list-item></text:list>
<text:list text:style-name="L1"><text:list-item><text:p>Fill it.</text:p></text:list-item>
<text:list-item><text:p>Light it.</text:p></text:list-item></text:list>
<text:section><text:h text:outline-level="2">Prices</text:h></text:section>
<table:table><table:table-row><table:table-cell><text:p>Year</text:p></table:table-cell>
<table:table-cell><text:p>Sum</text:p></table:table-cell></table:table-row><table:table-row>
<table:table-cell><text:p>2024</text:p></table:table-cell><table:table-cell><text:p>3.5</text:p>
</table:table-cell></table:table-row></table:table>
<text:p>Two<text:line-break/>lines.<office:annotation><dc:creator>Ben</dc:creator>
<dc:date>2024-03-05T12:00:00</dc:date><text:p>Which oil?</text:p></office:annotation></text:p>"""

TEXT = """\
Oil

Oil burns slowly.

Note 1: Some say fast.

In a box.

- whale oil
  - of the north

1. Fill it.
2. Light it.

Prices

Year | Sum
2024 | 3.5

Two
lines.

Comment by Ben: Which oil?"""


def test_a_text_keeps_its_structure() -> None:
    """Headings, lists and tables in their order; notes and boxes after their paragraph. The date is
    that of the last change.
    """
    loaded = load_odt(_file("text", _LAMP))
    assert loaded.text == TEXT
    assert _headings(loaded) == [(1, "Oil"), (2, "Prices")]
    assert loaded.title == "About lamps"
    assert loaded.date == dt.date(2024, 3, 5)
    assert loaded.metadata == {
        "author": "Ada Lovelace",
        "language": "en-GB",
        "title_from": "file",
        "author_from": "file",
        "date_from": "file",
        "language_from": "file",
    }


def test_a_careless_manifest_is_no_hindrance() -> None:
    """Some of LibreOffice's own templates have one that is no XML in the strict sense."""
    assert load_odt(_file("text", _LAMP, manifest="<manifest:manifest>")).text == TEXT


def _frame(kind: str, words: str) -> str:
    return (
        f'<draw:frame presentation:class="{kind}"><draw:text-box><text:p>{words}</text:p>'
        "</draw:text-box></draw:frame>"
    )


def test_each_slide_is_a_page() -> None:
    """Titles come first and are headings; notes come last; page numbers are no words."""
    notes = f"<presentation:notes>{_frame('notes', 'Greet.')}</presentation:notes>"
    loaded = load_odp(
        _file(
            "presentation",
            f"<draw:page>{_frame('outline', 'Oil')}{_frame('page-number', '1')}"
            f"{_frame('title', 'Lamps')}{notes}</draw:page><draw:page/>"
            f"<draw:page>{_frame('title', 'The end')}</draw:page>",
        )
    )
    assert [page.of(loaded.text) for page in loaded.pages] == [
        "Lamps\n\nOil\n\nSpeaker notes\n\nGreet.",
        "",
        "The end",
    ]
    assert _headings(loaded) == [(2, "Lamps"), (3, "Speaker notes"), (2, "The end")]


def test_all_text_of_a_page_of_notes() -> None:
    """Some programs put notes into frames without a class; what pages have in common is none."""
    notes = (
        f"<presentation:notes>{_frame('page-number', '1')}<draw:frame><draw:text-box>"
        "<text:p>Greet.</text:p></draw:text-box></draw:frame></presentation:notes>"
    )
    comment = (
        "<office:annotation><dc:creator>Ben</dc:creator><text:p>Why?</text:p></office:annotation>"
    )
    page = f"<draw:page>{comment}{_frame('title', 'Lamps')}{notes}</draw:page>"
    assert load_odp(_file("presentation", page)).text == (
        "Lamps\n\nComment by Ben: Why?\n\nSpeaker notes\n\nGreet."
    )


def test_comments_on_cells_follow_their_sheet() -> None:
    """With the name of the cell, which empty rows and columns before it count for."""
    commented = (
        '<table:table-row><table:table-cell table:number-columns-repeated="2"/><table:table-cell>'
        "<office:annotation><dc:creator>Ben</dc:creator><text:p>Estimated.</text:p>"
        "</office:annotation><text:p>1815</text:p></table:table-cell></table:table-row>"
    )
    sheet = f'<table:table table:name="Ages">{_row(repeated=9)}{commented}</table:table>'
    loaded = load_ods(_file("spreadsheet", sheet))
    assert loaded.text.endswith("1815\n\nComment on C10: Estimated.")


def _row(*cells: str, repeated: int = 1) -> str:
    inside = "".join(
        f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{repeated}">{inside}</table:table-row>'


def test_each_row_repeats_its_headers() -> None:
    """Cells are read as they look; a million empty rows and columns are none."""
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    loaded = load_ods(
        _file(
            "spreadsheet",
            f'<table:table table:name="People">{_row("Name", "Born")}{_row("Ada", "1815")}'
            f'<table:table-row table:number-rows-repeated="1048576">{empty}</table:table-row>'
            f"{_row('Max', '1905', repeated=2)}{_row('x', repeated=999_999_999)}</table:table>",
        )
    )
    assert loaded.text.split("\n\n") == [
        *("People", "Name: Ada; Born: 1815", "Name: Max; Born: 1905", "Name: Max; Born: 1905"),
        "Name: x",
    ]
    assert _headings(loaded) == [(2, "People")]


def test_a_shape_follows_its_paragraph() -> None:
    """Shapes have paragraphs of their own, in the middle of the one that they hang from."""
    shape = "<draw:custom-shape><text:p>In a shape.</text:p></draw:custom-shape>"
    loaded = load_odt(_file("text", f"<text:p>Be{shape}fore</text:p>"))
    assert loaded.text == "Before\n\nIn a shape."


def test_what_stands_for_a_picture_is_no_text() -> None:
    """Neither its bytes nor what is said in its place are on the page."""
    picture = (
        "<draw:frame><draw:image><office:binary-data>AAAA</office:binary-data></draw:image>"
        "<svg:title>t</svg:title><svg:desc>d</svg:desc></draw:frame>"
    )
    assert load_odt(_file("text", f"<text:p>A{picture} lamp</text:p>")).text == "A lamp"


def test_formulas_are_read_as_typed() -> None:
    """Other objects are counted as left out."""
    objects = "".join(
        f'<draw:frame><draw:object xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'xlink:href="./Object {number}"/></draw:frame>'
        for number in (1, 2)
    )
    formula = (
        '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mi>E</mi>'
        '<annotation encoding="StarMath 5.0">E = m c^2</annotation></semantics></math>'
    )
    content = f"<text:p>Here {objects} it is.</text:p>"
    loaded = load_odt(
        _file("text", content, **{"Object 1/content.xml": formula, "Object 2/content.xml": "<x/>"})
    )
    assert loaded.text == "Here E = m c^2 it is."
    assert loaded.warnings == ("1 embedded object was left out",)


def test_what_is_hidden_is_left_out() -> None:
    """Words, a paragraph, a section; styles of words and of paragraphs may have the same name."""
    hidden = '<text:span text:style-name="T1"> not</text:span>'
    body = (
        f'<text:p text:style-name="T1">Seen{hidden}, too</text:p>'
        '<text:p text:style-name="P1">No.</text:p>'
        '<text:section text:display="none"><text:p>No.</text:p></text:section>'
        "<text:p>End.</text:p>"
    )
    assert load_odt(_file("text", body)).text == "Seen, too\n\nEnd."


def test_a_list_may_go_on_after_a_paragraph() -> None:
    """Where it says so; otherwise it begins anew."""
    goes_on = ' text:continue-numbering="true"'
    body = "<text:p>and</text:p>".join(
        f'<text:list text:style-name="L1"{how}><text:list-item><text:p>{word}</text:p>'
        "</text:list-item></text:list>"
        for word, how in (("a", ""), ("b", goes_on), ("c", ""))
    )
    assert load_odt(_file("text", body)).text == "1. a\n\nand\n\n2. b\n\nand\n\n1. c"


def test_the_style_of_titles_makes_a_heading() -> None:
    """Used as it is, or as the base of another."""
    body = '<text:p text:style-name="{}">Lamps</text:p>'
    assert _headings(load_odt(_file("text", body.format("Title")))) == [(1, "Lamps")]
    assert _headings(load_odt(_file("text", body.format("P2")))) == [(1, "Lamps")]


def test_a_row_has_an_end() -> None:
    """A million cells that each stand for a thousand are a few thousand."""
    cell = (
        '<table:table-cell table:number-columns-repeated="1000"><text:p>a</text:p>'
        "</table:table-cell>"
    )
    table = f"<table:table><table:table-row>{cell * 3_000}</table:table-row></table:table>"
    assert load_ods(_file("spreadsheet", table)).text.count("a") < 20_000


@pytest.mark.parametrize("loader", [load_odt, load_odp, load_ods])
def test_what_holds_something_else(loader: Callable[[bytes], Loaded]) -> None:
    """A drawing is no text, and what is encrypted says so."""
    with pytest.raises(LoadError, match="something else"):
        loader(_file("drawing", ""))
    with pytest.raises(LoadError, match="unprotected copy"):
        loader(_file("text", "", manifest='<m xmlns="u"><encryption-data/></m>'))


def test_cells_merged_over_rows() -> None:
    """Their value counts for each row that has others."""
    merged = (
        '<table:table-cell table:number-rows-spanned="2"><text:p>Red</text:p></table:table-cell>'
    )
    covered = "<table:covered-table-cell/>"
    person = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    rows = (
        *(person.format("Team") + person.format("Person"), merged + person.format("Ada")),
        *(covered + person.format("Ben"), covered + person.format("Cem")),
    )
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    loaded = load_ods(_file("spreadsheet", f'<table:table table:name="S">{body}</table:table>'))
    assert loaded.text.split("\n\n")[1:] == [
        *("Team: Red; Person: Ada", "Team: Red; Person: Ben", "Person: Cem"),
    ]
