"""What Word and PowerPoint show that is no plain text: symbols, numbers, equations, charts."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pptx
import pytest
from many_files import zipped
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE

from rag.documents.formats.docx import load_docx
from rag.documents.formats.pptx import load_pptx
from rag.documents.formats.spreadsheet import load_xlsx
from rag.documents.loaded import Loaded

_OOXML = "http://schemas.openxmlformats.org"
_NAMES = (
    f'xmlns:w="{_OOXML}/wordprocessingml/2006/main" xmlns:m="{_OOXML}/officeDocument/2006/math" '
    f'xmlns:r="{_OOXML}/officeDocument/2006/relationships" '
    f'xmlns:c="{_OOXML}/drawingml/2006/chart" xmlns:a="{_OOXML}/drawingml/2006/main"'
)


def _load(body: str, **parts: str) -> Loaded:
    """A Word document with further parts; in their names, a number tells those of a kind apart."""
    kinds = f"{_OOXML}/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="{name}" Type="{kinds}/{name.rstrip("0123456789")}" '
        f'Target="{name}.xml"/>'
        for name in parts
    )
    package = f'<Relationships xmlns="{_OOXML}/package/2006/relationships">{{}}</Relationships>'
    files = {
        "_rels/.rels": package.format(
            f'<Relationship Id="r" Type="{kinds}/officeDocument" Target="word/document.xml"/>'
        ),
        "word/_rels/document.xml.rels": package.format(relations),
        "word/document.xml": f"<w:document {_NAMES}><w:body>{body}</w:body></w:document>",
        **{
            f"word/{name}.xml": content.replace(">", f" {_NAMES}>", 1)
            for name, content in parts.items()
        },
    }
    return load_docx(zipped(files))


def _text(body: str, **parts: str) -> str:
    return _load(body, **parts).text


def _run(words: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{words}</w:t></w:r>'


def _paragraph(content: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{content}</w:p>"


def _symbol(font: str, code: str) -> str:
    return f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'


def test_symbols() -> None:
    """They are characters of their fonts, by element or in the private area of Unicode."""
    words = (
        *("47 k", _symbol("Symbol", "F057"), ", 5 ", _symbol("Symbol", "006D"), "g "),
        *(_symbol("Wingdings", "F0E0"), " done ", _symbol("Wingdings", "F0FC")),
    )
    body = "".join(one if one.startswith("<") else _run(one) for one in words)
    body += _run(" \uf0b1 2", '<w:rFonts w:ascii="Symbol"/>')
    loaded = _load(_paragraph(body))
    assert loaded.text == "47 kΩ, 5 µg → done ✓ ± 2"
    assert loaded.warnings == ()


def test_unknown_symbols_are_counted() -> None:
    """Each leaves a mark, and a warning says how many."""
    loaded = _load(_paragraph(_run("a ") + _symbol("Ornaments", "F041") + _symbol("Webdings", "x")))
    assert loaded.text == "a □□"
    assert loaded.warnings == ("2 characters of symbol fonts are unknown; each is shown as □",)


def _level(at: int, style: str, text: str, more: str = "") -> str:
    inner = f'<w:numFmt w:val="{style}"/><w:lvlText w:val="{text}"/>{more}'
    return f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/>{inner}</w:lvl>'


def _item(words: str, level: int, number: int = 1) -> str:
    stated = f'<w:ilvl w:val="{level}"/><w:numId w:val="{number}"/>'
    return _paragraph(_run(words), f"<w:numPr>{stated}</w:numPr>")


def _numbering(*levels: str, more: str = "") -> str:
    definition = f'<w:abstractNum w:abstractNumId="5">{"".join(levels)}</w:abstractNum>'
    return (
        f'<w:numbering>{definition}<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num>'
        f'<w:num w:numId="2"><w:abstractNumId w:val="5"/>{more}</w:num></w:numbering>'
    )


def test_numbers_of_clauses() -> None:
    """As Word shows them, so that "Section II (b)" is found; a heading has its number, too."""
    heading = '<w:outlineLvl w:val="0"/><w:numPr><w:numId w:val="1"/></w:numPr>'
    body = (
        *(_item("Rent", 0), _item("Due monthly.", 1), _item("Late fee.", 1), _item("Law", 2)),
        *(_paragraph(_run("Notice"), heading), _item("Three months.", 1)),
    )
    levels = (
        *(_level(0, "upperRoman", "Section %1."), _level(1, "lowerLetter", "(%2)")),
        _level(2, "decimal", "%1.%3", "<w:isLgl/>"),
    )
    loaded = _load("".join(body), numbering=_numbering(*levels))
    assert loaded.text.split("\n\n") == [
        *("Section I. Rent", "(a) Due monthly.", "(b) Late fee.", "1.1 Law"),
        *("Section II. Notice", "(a) Three months."),
    ]
    assert loaded.title == "Section II. Notice"


def test_lists_go_on_or_begin_again() -> None:
    """One that shares its definition goes on, unless it says where it starts."""
    body = _item("a", 0) + _item("b", 0) + _paragraph(_run("Text.")) + _item("c", 0, 2)
    assert "3) c" in _text(body, numbering=_numbering(_level(0, "decimal", "%1)")))
    start = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'
    assert "7) c" in _text(body, numbering=_numbering(_level(0, "decimal", "%1)"), more=start))


def test_levels_that_belong_to_styles() -> None:
    """The style of a paragraph may say that it is on a level, and the list which."""
    style = (
        '<w:style w:styleId="C"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    body = _item("One", 0) + _paragraph(_run("Two"), '<w:pStyle w:val="C"/>')
    levels = _level(0, "decimal", "%1"), _level(1, "decimal", "%1.%2", '<w:pStyle w:val="C"/>')
    text = _text(body, numbering=_numbering(*levels), styles=f"<w:styles>{style}</w:styles>")
    assert text == "1 One\n\n1.1 Two"


@pytest.mark.parametrize("text", ["Clause " * 20_000 + "%1", "%1" * 50])
def test_long_labels(text: str) -> None:
    """They are cut, as each paragraph repeats them."""
    numbering = _numbering(_level(0, "lowerLetter", text)).replace(
        'w:start w:val="1"', 'w:start w:val="4000"'
    )
    words = _text("".join(_item("Rent", 0) for _ in range(50)), numbering=numbering)
    assert words.count("Rent") == 50
    assert len(words) < 50 * 110


def _math(words: str) -> str:
    return f"<m:r><m:t>{words}</m:t></m:r>"


_NO_BAR = '<m:fPr><m:type m:val="noBar"/></m:fPr>'
_OVER = f"<m:num>{_math('n')}</m:num><m:den>{_math('k+1')}</m:den>"
_SCRIPTS = f"<m:sub>{_math('i=1')}</m:sub><m:sup>{_math('n')}</m:sup><m:e>{_math('i')}</m:e>"


@pytest.mark.parametrize(
    ("equation", "shown"),
    [
        (f"<m:f><m:num>{_math('a+b')}</m:num><m:den>{_math('2c')}</m:den></m:f>", "(a+b)/(2c)"),
        (f"<m:f><m:num>{_math('1')}</m:num><m:den>{_math('x')}</m:den></m:f>", "1/x"),
        (f"<m:d><m:e><m:f>{_NO_BAR}{_OVER}</m:f></m:e></m:d>", "(n over (k+1))"),
        (f"<m:sSup><m:e>{_math('x')}</m:e><m:sup>{_math('12')}</m:sup></m:sSup>", "x^12"),
        (f"<m:sSup><m:e>{_math('10')}</m:e><m:sup>{_math('-6')}</m:sup></m:sSup>", "10^(-6)"),
        (f"<m:sSub><m:e>{_math('v')}</m:e><m:sub>{_math('0')}</m:sub></m:sSub>", "v_0"),
        (f"<m:rad><m:deg/><m:e>{_math('y')}</m:e></m:rad>", "√y"),
        (f"<m:d><m:e>{_math('a')}</m:e></m:d>{_math('=b')}", "(a)=b"),
        (f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr>{_SCRIPTS}</m:nary>', "∑_(i=1)^n i"),
        (f"<m:m><m:mr><m:e>{_math('a')}</m:e><m:e>{_math('b')}</m:e></m:mr></m:m>", "[a, b]"),
    ],
)
def test_equations(equation: str, shown: str) -> None:
    """They are written on a line, as people type them."""
    body = _paragraph(f"{_run('It is ')}<m:oMath>{equation}</m:oMath>{_run('.')}")
    assert _text(body) == f"It is {shown}."


def test_superscripts() -> None:
    """A power is told from what it belongs to; a raised word, and a lowered number, are not."""
    raised, lowered = ('<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>')
    body = _run("10") + _run("6", raised) + _run(" in the 2") + _run("nd", raised)
    body += _run(" H") + _run("2", lowered) + _run("O")
    assert _text(_paragraph(body)) == "10^6 in the 2nd H2O"


def test_headers_footers_and_comments() -> None:
    """Each is read once, and told as what it is; page numbers say nothing."""
    page = "<w:r><w:instrText> PAGE </w:instrText></w:r><w:r><w:t>Page 1</w:t></w:r>"
    comment = f'<w:comment w:id="0" w:author="Ben">{_paragraph(_run("7 percent?"))}</w:comment>'
    assert _text(
        _paragraph(_run("Total: 19.") + '<w:r><w:commentReference w:id="0"/></w:r>')
        + _paragraph(_run("Regards")),
        comments=f"<w:comments>{comment}</w:comments>",
        header1=f"<w:hdr>{_paragraph(_run('Invoice 0815'))}</w:hdr>",
        header2=f"<w:hdr>{_paragraph(_run('Invoice 0815'))}</w:hdr>",
        footer1=f"<w:ftr>{_paragraph(_run('IBAN DE00'))}</w:ftr>",
        footer2=f"<w:ftr>{_paragraph(page)}</w:ftr>",
    ).split("\n\n") == [
        *("Total: 19.", "Comment by Ben: 7 percent?", "Regards"),
        *("Header: Invoice 0815", "Footer: IBAN DE00"),
    ]


def test_what_is_left_out_is_counted() -> None:
    """Embedded files and diagrams, but no workbook of a chart, which is read from the chart."""
    loaded = _load(
        _paragraph(_run("Text.")),
        **{
            "embeddings/oleObject1.bin": "<x>",
            "embeddings/Letter.docx": "<x>",
            "diagrams/data1": "<x>",
        },
    )
    assert loaded.warnings == ("2 embedded files were left out", "1 diagram was left out")
    assert load_pptx(_chart()).warnings == ()


def _chart() -> bytes:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    data = CategoryChartData(number_format="0.0%")
    data.categories = ["Kiel", "Bonn"]
    data.add_series("Ships", (0.125, 0.5))
    data.add_series("Boats", (0.25, None))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, 99, 99, data)
    frame.chart.has_title = True  # type: ignore[attr-defined]
    frame.chart.chart_title.text_frame.text = "Harbours"  # type: ignore[attr-defined]
    saved = io.BytesIO()
    presentation.save(saved)
    return saved.getvalue()


def test_charts() -> None:
    """Title, series, categories and values are text."""
    shown = ["Harbours", "Kiel; Ships: 12.5%; Boats: 25.0%", "Bonn; Ships: 50.0%"]
    assert load_pptx(_chart()).text.split("\n\n") == shown


def test_charts_in_documents() -> None:
    """They follow the paragraph that they stand in."""
    value = "<c:val><c:numLit><c:pt idx='0'><c:v>7</c:v></c:pt></c:numLit></c:val>"
    name = "<c:tx><c:v>Ships</c:v></c:tx>"
    plot = f"<c:plotArea><c:barChart><c:ser>{name}{value}</c:ser></c:barChart></c:plotArea>"
    chart = f"<c:chartSpace><c:chart>{plot}</c:chart></c:chartSpace>"
    body = _paragraph(_run("See ") + '<w:r><c:chart r:id="chart1"/></w:r>' + _run("here."))
    assert _text(body, chart1=chart) == "See here.\n\nShips: 7"


def test_long_names_of_series() -> None:
    """They are cut, as each value repeats them."""
    points = "".join(f"<c:pt idx='{n}'><c:v>7</c:v></c:pt>" for n in range(50))
    series = (
        f"<c:tx><c:v>{'Ships ' * 20_000}</c:v></c:tx><c:val><c:numLit>{points}</c:numLit></c:val>"
    )
    plot = f"<c:plotArea><c:barChart><c:ser>{series}</c:ser></c:barChart></c:plotArea>"
    chart = f"<c:chartSpace><c:chart>{plot}</c:chart></c:chartSpace>"
    text = _text(_paragraph('<w:r><c:chart r:id="chart1"/></w:r>'), chart1=chart)
    assert text.count(": 7") == 50
    assert len(text) < 50 * 210


def test_powers_on_slides() -> None:
    """A raised number there is a power, too."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    paragraph = slide.shapes.title.text_frame.paragraphs[0]  # type: ignore[union-attr]
    paragraph.add_run().text = "About 10"
    raised = paragraph.add_run()
    raised.text = "6"
    raised._r.get_or_add_rPr().set("baseline", "30000")
    saved = io.BytesIO()
    presentation.save(saved)
    assert load_pptx(saved.getvalue()).text == "About 10^6"


_SHEET = "xl/worksheets/sheet1.xml"
_PART = "<Relationship Id='rC' Type='{kind}' Target='{target}'/></Relationships>"


def _with(data: bytes, part: str, kind: str, target: str, content: str) -> bytes:
    """A file with another part, related to one of its parts."""
    kind = f"{_OOXML}/officeDocument/2006/relationships/{kind}"
    folder, _, name = part.rpartition("/")
    relations = f"{folder}/_rels/{name}.rels"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {one: archive.read(one) for one in archive.namelist()}
    empty = f"<Relationships xmlns='{_OOXML}/package/2006/relationships'></Relationships>".encode()
    entry = _PART.format(kind=kind, target=target).encode()
    files[relations] = files.get(relations, empty).replace(b"</Relationships>", entry)
    files[target.removeprefix("/")] = content.encode()
    return zipped(files)


def test_comments_on_cells() -> None:
    """They follow the rows of their sheet; what stands for a thread in older programs doesn't."""
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    workbook.active.append(["Price", "Town"])
    saved = io.BytesIO()
    workbook.save(saved)
    comment = "<comment ref='{}'><text><r><t>{}</t></r></text></comment>"
    thread = comment.format("B1", "[Threaded comment] Your version of Excel")
    both = f"<comments>{comment.format('A1', '7 percent?')}{thread}</comments>"
    data = _with(saved.getvalue(), _SHEET, "comments", "/xl/comments9.xml", both)
    (loaded,) = load_xlsx(data)
    assert loaded.text.split("\n\n")[1:] == ["Price | Town", "Comment on A1: 7 percent?"]


def test_text_boxes_on_sheets() -> None:
    """They follow the rows, too."""
    workbook = openpyxl.Workbook()
    assert workbook.active is not None
    workbook.active.append(["Price", "Town"])
    saved = io.BytesIO()
    workbook.save(saved)
    box = "<txBody><a:p><a:r><a:t>Draft</a:t></a:r></a:p></txBody>"
    drawing = f"<drawing {_NAMES}><shape>{box}</shape></drawing>"
    data = _with(saved.getvalue(), _SHEET, "drawing", "/xl/drawings/d.xml", drawing)
    (loaded,) = load_xlsx(data)
    assert loaded.text.endswith("Price | Town\n\nDraft")


@pytest.mark.parametrize(
    "comment",
    [
        "<cm><text>7 percent?</text></cm>",
        f"<cm {_NAMES}><txBody><a:p><a:r><a:t>7 percent?</a:t></a:r></a:p></txBody></cm>",
    ],
)
def test_comments_on_slides(comment: str) -> None:
    """Both as PowerPoint writes them now, and as it did."""
    comments = f"<cmLst>{comment}</cmLst>"
    data = _with(_chart(), "ppt/slides/slide1.xml", "comments", "/ppt/comments/c.xml", comments)
    assert load_pptx(data).text.endswith("\n\nComment: 7 percent?")
