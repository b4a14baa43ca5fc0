"""Small valid files of the zipped formats, by their parts, with one of everything they have."""

from __future__ import annotations

import io
from collections.abc import Mapping

import docx
import openpyxl
import pptx
from many_files import epub, open_document, sheet
from pptx.util import Inches
from small_files import Parts, parts_of

_OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
_NAMESPACES = " ".join(
    f'xmlns:{prefix}="{_OFFICE}:{name}:1.0"'
    for prefix, name in {
        **{name: name for name in ("office", "text", "table", "presentation", "style", "meta")},
        "draw": "drawing",
        "svg": "svg-compatible",
    }.items()
)
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def _rich_word() -> Parts:
    document = docx.Document()
    document.core_properties.title = "About lamps"
    document.add_heading("Oil", 1)
    document.add_paragraph("whale oil", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    table.rows[1].cells[0].text = "Words."
    buffer = io.BytesIO()
    document.save(buffer)
    kept = ("[Content_Types]", "_rels", "word/document", "word/_rels", "docProps/core", "word/num")
    return {n: c for n, c in parts_of(buffer.getvalue()).items() if n.startswith(kept)}


def _word_by_hand() -> Parts:
    def relations(**targets: str) -> str:
        inside = "".join(
            f'<Relationship Id="r{kind}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
            for kind, target in targets.items()
        )
        return f'<Relationships xmlns="{_PACKAGE}">{inside}</Relationships>'

    run = "<w:r><w:t>Oil</w:t></w:r>"
    body = (
        '<w:p><w:pPr><w:pStyle w:val="H"/><w:outlineLvl w:val="0"/><w:numPr><w:ilvl w:val="1"/>'
        f'<w:numId w:val="1"/></w:numPr></w:pPr>{run}<w:r><w:footnoteReference w:id="2"/><w:tab/>'
        f'<w:br/><w:sym w:char="F0B7"/></w:r><w:del>{run}</w:del><w:ins>{run}</w:ins></w:p><w:tbl>'
        f"<w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/><w:vMerge/></w:tcPr><w:p>{run}</w:p></w:tc>"
        f"</w:tr></w:tbl><mc:AlternateContent><mc:Choice><w:p>{run}</w:p></mc:Choice><mc:Fallback>"
        f"<w:p>{run}</w:p></mc:Fallback></mc:AlternateContent><w:sdt><w:sdtContent><w:p>{run}"
        '</w:p></w:sdtContent></w:sdt><w:p><w:fldSimple w:instr="PAGE"/><w:r><w:fldChar '
        'w:fldCharType="begin"/><w:instrText>TOC</w:instrText><w:fldChar w:fldCharType="end"/>'
        "</w:r><w:txbxContent><w:p><w:r><w:t>Box</w:t></w:r></w:p></w:txbxContent></w:p>"
    )
    return {
        name: content.encode()
        for name, content in {
            "_rels/.rels": relations(officeDocument="word/document.xml"),
            "word/_rels/document.xml.rels": relations(
                footnotes="footnotes.xml", styles="styles.xml", numbering="numbering.xml"
            ),
            "word/document.xml": f'<w:document xmlns:w="{_W}" xmlns:mc="http://schemas.openxmlfor'
            f'mats.org/markup-compatibility/2006"><w:body>{body}</w:body></w:document>',
            "word/footnotes.xml": f'<w:footnotes xmlns:w="{_W}"><w:footnote w:id="2"><w:p>{run}'
            "</w:p></w:footnote></w:footnotes>",
            "word/styles.xml": f'<w:styles xmlns:w="{_W}"><w:style w:styleId="H"><w:name w:val='
            '"heading 1"/><w:basedOn w:val="H"/></w:style></w:styles>',
            "word/numbering.xml": f'<w:numbering xmlns:w="{_W}"><w:abstractNum w:abstractNumId="0">'
            '<w:lvl w:ilvl="1"><w:start w:val="3"/><w:numFmt w:val="decimal"/></w:lvl>'
            '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
            "</w:numbering>",
        }.items()
    }


def _deck() -> Parts:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Lamps", "Oil\nburns"
    slide.notes_slide.notes_text_frame.text = "Greet."
    size = Inches(2)
    slide.shapes.add_table(2, 2, size, size, size, size).table.cell(0, 0).text = "Year"
    slide.shapes.add_group_shape().shapes.add_textbox(size, size, size, size).text_frame.text = "B"
    buffer = io.BytesIO()
    deck.save(buffer)
    kept = ("_rels", "ppt/presentation", "ppt/_rels", "ppt/slides/", "ppt/notesSlides/", "docProps")
    return {n: c for n, c in parts_of(buffer.getvalue()).items() if n.startswith(kept)}


def _opened(kind: str, body: str) -> Parts:
    return {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}".encode(),
        "META-INF/manifest.xml": b"<manifest/>",
        "meta.xml": (
            f'<office:document-meta {_NAMESPACES} xmlns:dc="http://purl.org/dc/elements/1.1/">'
            "<office:meta><dc:title>T</dc:title><dc:date>2024-03-05T12:00:00</dc:date>"
            "<dc:language>en-GB</dc:language></office:meta></office:document-meta>"
        ).encode(),
        "content.xml": (
            f"<office:document-content {_NAMESPACES}><office:automatic-styles><text:list-style "
            'style:name="L1"><text:list-level-style-number text:level="1"/></text:list-style>'
            '<style:style style:family="paragraph" style:name="P1" style:parent-style-name="P1">'
            '<style:text-properties text:display="none"/></style:style></office:automatic-styles>'
            f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
            "</office:document-content>"
        ).encode(),
    }


_TABLE = (
    '<table:table table:name="S"><table:table-row table:number-rows-repeated="2"><table:table-cell '
    'table:number-columns-repeated="3" office:value-type="float" office:value="3.5"><text:p>3.5'
    "</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table>"
)
_ODT = (
    '<text:h text:outline-level="1">Oil</text:h>'
    '<text:p text:style-name="P1">Oil<text:s text:c="2"/>'
    "<text:tab/><text:line-break/><text:note><text:note-body><text:p>N</text:p></text:note-body>"
    "</text:note><draw:frame><draw:text-box><text:p>Box</text:p></draw:text-box></draw:frame>"
    '<text:span>words</text:span></text:p><text:list text:style-name="L1"><text:list-item '
    'text:start-value="4"><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p>'
    f"</text:list-item></text:list></text:list-item></text:list>{_TABLE}"
)
_ODP = (
    '<draw:page draw:name="one"><draw:frame presentation:class="title" svg:y="1cm"><draw:text-box>'
    "<text:p>Lamps</text:p></draw:text-box></draw:frame><draw:g><draw:frame><draw:text-box>"
    "<text:p>Oil</text:p></draw:text-box></draw:frame></draw:g><presentation:notes><draw:frame>"
    "<draw:text-box><text:p>Greet</text:p></draw:text-box></draw:frame></presentation:notes>"
    "</draw:page>"
)


def _book() -> Parts:
    old = dict(parts_of(epub(8)))
    return old | {
        "book.opf": (
            b'<package xmlns="http://www.idpf.org/2007/opf" '
            b'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>L</dc:title>'
            b"<dc:creator>Ada</dc:creator><dc:date>1843-09-05</dc:date></metadata><manifest>"
            b'<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="nav" '
            b'href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="toc" '
            b'href="toc.ncx" media-type="application/x-dtbncx+xml"/></manifest><spine toc="toc">'
            b'<itemref idref="nav"/><itemref idref="a"/></spine></package>'
        ),
        "nav.xhtml": b'<html><nav><ol><li><a href="a.xhtml#x">P</a></li></ol></nav></html>',
        "toc.ncx": b'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap><navPoint><navLabel>'
        b'<text>F</text></navLabel><content src="a.xhtml"/></navPoint></navMap></ncx>',
    }


def _workbook() -> Parts:
    book = openpyxl.Workbook()
    first = book.active
    first.append(["animal", "weight", "=1+1", "share"])
    first.append(["yak", 1007, 0.5, "2024-03-05"])
    first["B2"].number_format, first["C2"].number_format = "[$€-407] #,##0.00", "0.0%"
    first.merge_cells("A4:B5")
    book.create_sheet("Second").append([True, None, "x"])
    buffer = io.BytesIO()
    book.save(buffer)
    return {n: c for n, c in parts_of(buffer.getvalue()).items() if "theme" not in n}


PACKAGES: Mapping[str, tuple[Parts, ...]] = {
    "docx": (_word_by_hand(), _rich_word()),
    "pptx": (_deck(),),
    "xlsx": (_workbook(), parts_of(sheet(7))),
    "odt": (_opened("text", _ODT), parts_of(open_document(9))),
    "odp": (_opened("presentation", _ODP),),
    "ods": (_opened("spreadsheet", _TABLE * 2),),
    "epub": (_book(), parts_of(epub(8))),
}
"""Of each zipped format some files, by their parts."""
