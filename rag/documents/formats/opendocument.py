"""OpenDocument: text (ODT), presentations (ODP) and spreadsheets (ODS)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from rag.documents.content import Content
from rag.documents.formats.office_text import (
    DEEPEST_HEADING,
    OfficeText,
    comment_mark,
    parse_number,
)
from rag.documents.formats.picture import Pictures
from rag.documents.formats.pptx import NOTES, TITLE_LEVEL, join_pages
from rag.documents.formats.spreadsheet import Merged, RowQuota, fill_merged, sheet_blocks
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata
from rag.documents.office_zip import (
    Element,
    Package,
    attribute,
    child,
    children,
    dublin_core,
    left_out,
    not_valid,
    open_package,
    short,
    walk,
)
from rag.documents.whitespace import one_line
from rag.errors import LoadError

_KIND = "OpenDocument file"
_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"
_OUT_OF_SIGHT = frozenset(
    {
        *("dc:creator", "dc:date", "meta:date-string", "meta:creator-initials"),  # of comments
        *("text:tracked-changes", "text:table-of-content", "text:ruby-text"),
        *("office:forms", "text:sequence-decls", "table:shapes", "text:note-citation"),
        *("presentation:notes", "office:event-listeners", "text:script"),
        *("svg:title", "svg:desc", "draw:image", "draw:object", "draw:object-ole"),
    }
)
_ASIDE = frozenset(
    {
        *("draw:text-box", "draw:custom-shape", "draw:rect", "draw:ellipse", "draw:circle"),
        *("draw:line", "draw:polyline", "draw:polygon", "draw:path", "draw:connector"),
        *("draw:regular-polygon", "draw:caption", "draw:measure", "draw:g"),
    }
)
"""Elements inside a paragraph that contain paragraphs of their own."""
_LEFT_OUT = {r"Object[^/]*/content\.xml": "embedded object"}
_AS_HTML = {
    "table:table": "table",
    "table:table-row": "tr",
    "table:table-cell": "td",
    "text:list-item": "li",
    "text:list-header": "li",
}
_COMMENT = "office:annotation"
_OUTSIDE_SLIDE = frozenset({"date-time", "footer", "page-number", "header"})
"""Classes of frames that hold the same on all slides and pages of notes."""
_AS_TEXT = {"text:s": " ", "text:tab": " "}
_TITLE = "Title"  # whatever the program displays
_FAMILIES = {"text:p": "paragraph", "text:h": "paragraph", "text:span": "text"}
_MOST_REPEATED = 1_000
"""Maximum copies of a repeated cell or row: more just fill a sheet to its edge."""
_MOST_COLUMNS = 16_384
"""Maximum number of cells read per row; no program shows more."""


class _Styles(NamedTuple):
    """``starts`` maps the style of each numbered list to the first number of each level (from 1).
    ``titles`` are the paragraph styles of titles, ``hidden`` styles by family and name.
    """

    starts: Mapping[tuple[str, int], int]
    titles: frozenset[str]
    hidden: frozenset[tuple[str, str]]


_NO_STYLES = _Styles({}, frozenset(), frozenset())


def load_odt(content: Content, *, pictures: Pictures | None = None) -> Loaded:
    """Load an OpenDocument text, with the rules of ``load_docx``.

    Raises LoadError if it is not one, damaged, encrypted, or exceeds the limits.
    """
    package, root = _open_content(content)
    body = _body(root, "office:text")
    seen = _Seen(package, pictures or Pictures(), set())
    writer = _Writer(_read_styles(package, root), seen)
    writer.write(body)
    blocks = writer.layout.blocks()
    seen.pictures.refuse_without(blocks)
    return _about(package).of_blocks(blocks, seen.warnings)


def load_odp(content: Content, *, pictures: Pictures | None = None) -> Loaded:
    """Load an OpenDocument presentation, with the rules of ``load_pptx``.

    Raises LoadError if it is not one, damaged, encrypted, or exceeds the limits.
    """
    package, root = _open_content(content)
    styles = _read_styles(package, root)
    seen = _Seen(package, pictures or Pictures(), set())
    pages = children(_body(root, "office:presentation"), "draw:page")
    slides = [_slide(page, styles, seen) for page in pages]
    seen.pictures.refuse_without(slides)
    return join_pages(slides, _about(package), seen.warnings)


def load_ods(content: Content) -> Iterator[Loaded]:
    """Load an OpenDocument spreadsheet, with the rules of ``load_xlsx``.

    Raises LoadError if it is not one, damaged, encrypted, or exceeds the limits.
    """
    package, root = _open_content(content)
    allowance = RowQuota(left_out=[*left_out(package, {**_LEFT_OUT, "Pictures/": "picture"})])
    sheets = children(_body(root, "office:spreadsheet"), "table:table")
    blocks = chain.from_iterable(_sheet_blocks(sheet, allowance) for sheet in sheets)
    return _about(package).in_parts(blocks, allowance.warnings)


def _sheet_blocks(sheet: Element, allowance: RowQuota) -> Iterator[Block]:
    merged: Merged = {}
    comments: list[Block] = []
    rows = fill_merged(_rows(sheet, merged, comments), merged)
    yield from sheet_blocks(attribute(sheet, "table:name") or "", rows, allowance)
    yield from comments


def _open_content(content: Content) -> tuple[Package, Element]:
    package = open_package(content, _KIND)
    # Not parsed: in some real files it is not well-formed XML.
    if _MANIFEST in package and b"encryption-data" in package.read(_MANIFEST):
        raise LoadError("it is encrypted; save an unprotected copy and index that")
    if _CONTENT not in package:
        raise not_valid(_KIND)
    return package, package.tree(_CONTENT)


def _body(root: Element, kind: str) -> Element:
    body = child(root, "office:body", kind)
    if body is None:
        raise LoadError("it holds something else; give it the extension that matches its content")
    return body


def _about(package: Package) -> Metadata:
    return dublin_core(
        child(package.tree_if_readable("meta.xml"), "office:meta"),
        authors=("meta:initial-creator", "dc:creator"),  # dc:creator is the last editor
        dates=("dc:date", "meta:creation-date"),
    )


class _Seen(NamedTuple):
    """The pictures and formulas of a package; ``formulas`` are the names of those read."""

    package: Package
    pictures: Pictures
    formulas: set[str]

    def text_of(self, image: Element) -> str:
        """The text in the picture that an element shows."""
        return self.pictures.text_of_part(self.package, attribute(image, "xlink:href") or "")

    def formula_of(self, element: Element) -> str | None:
        """The formula that an object is, as typed in its editor; None if it is something else."""
        name = f"{(attribute(element, 'xlink:href') or '').removeprefix('./')}/content.xml"
        root = self.package.tree_if_there(name)
        if root is None or not root.tag.endswith("}math"):
            return None
        self.formulas.add(name)
        typed = root.find(".//{*}annotation")
        return one_line("".join((root if typed is None else typed).itertext()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What of the package wasn't read."""
        left = left_out(self.package, _LEFT_OUT, read=self.formulas)
        return (*self.pictures.warnings, *left)


class _Writer(OfficeText):
    OUTERMOST = frozenset({"text:p", "text:h", "text:list", "table:table"})
    MIXED = True

    def __init__(
        self, styles: _Styles, seen: _Seen | None = None, *, boxes_aside: bool = True
    ) -> None:
        super().__init__()
        self._seen = seen
        self._styles = styles
        self._boxes_aside = boxes_aside
        self._lists: list[str] = []  # styles of the open lists
        self._numbers: dict[tuple[str, int], int] = {}  # next numbers, by style and level
        self._notes = 0

    def _is_hidden(self, tag: str, element: Element) -> bool:
        if tag == "text:section":
            return attribute(element, "text:display") == "none"
        if tag in _FAMILIES:
            style = attribute(element, "text:style-name") or ""
            return (_FAMILIES[tag], style) in self._styles.hidden
        return tag in _OUT_OF_SIGHT

    def _aside_of(self, tag: str, element: Element) -> tuple[str, Element | str] | None:
        if tag == "text:note":
            self._notes += 1
            body = child(element, "text:note-body")
            return f"Note {self._notes}: ", element if body is None else body
        if tag == _COMMENT:
            return _comment_mark(element), element
        if tag == "draw:image" and self._seen:
            return "", self._seen.text_of(element)
        return ("", element) if tag in _ASIDE and self._boxes_aside and self._depth else None

    def _text_of(self, tag: str, element: Element) -> str | None:
        return self._seen.formula_of(element) if tag == "draw:object" and self._seen else None

    def _start(self, tag: str, element: Element) -> None:
        if tag == "text:h":
            level = parse_number(attribute(element, "text:outline-level"), 1)
            self._start_paragraph(f"h{min(max(level, 1), DEEPEST_HEADING)}")
        elif tag == "text:p":
            is_title = attribute(element, "text:style-name") in self._styles.titles
            self._start_paragraph("h1" if is_title else "p")
        elif tag == "text:list":
            self._start_of_list(element)
        elif tag in _AS_HTML:
            self.layout.start(_AS_HTML[tag], {})
            if tag == "text:list-item" and self._lists:
                place = self._lists[-1], len(self._lists)
                self._numbers[place] = self._numbers.get(place, 0) + 1
        elif tag in _AS_TEXT:
            self.layout.data(_AS_TEXT[tag])
        elif tag == "text:line-break":
            self.layout.start("br", {})
        text = element.text or ""
        if self._depth or text.strip():  # otherwise it just indents the markup
            self.layout.data(text)

    def _start_of_list(self, element: Element) -> None:
        style = attribute(element, "text:style-name") or (self._lists[-1] if self._lists else "")
        self._lists.append(style)
        place = style, len(self._lists)
        start = self._styles.starts.get(place)
        goes_on = attribute(element, "text:continue-numbering") == "true"
        if not goes_on or place not in self._numbers:
            self._numbers[place] = start or 0
        kind = "ul" if start is None else "ol"
        self.layout.start(kind, {"start": str(self._numbers[place])})

    def _end(self, tag: str) -> None:
        if tag in ("text:p", "text:h"):
            self.layout.end(self._ends.pop())
        elif tag == "text:list":
            self.layout.end("ul")
            self._lists.pop()
        elif tag in _AS_HTML:
            self.layout.end(_AS_HTML[tag])


def _slide(page: Element, styles: _Styles, seen: _Seen) -> list[Block]:
    titles: list[Block] = []
    blocks: list[Block] = []
    comments: list[Block] = []
    for shape in page:
        kind = attribute(shape, "presentation:class")
        if kind in _OUTSIDE_SLIDE:
            continue
        written = _shape_text(shape, styles, seen)
        if short(shape.tag) == _COMMENT:
            comments.append(Block(_comment_mark(shape) + _joined(written)))
        elif kind == "title" and written:
            titles.append(Block(_joined(written), TITLE_LEVEL))
        else:
            blocks += written
    notes = [
        block
        for notes in children(page, "presentation:notes")
        for frame in notes
        if attribute(frame, "presentation:class") not in _OUTSIDE_SLIDE
        for block in _shape_text(frame, styles, seen)
    ]
    return [*titles, *blocks, *comments, *([NOTES, *notes] if notes else [])]


def _comment_mark(comment: Element) -> str:
    author = child(comment, "dc:creator")
    return comment_mark(None if author is None else author.text)


def _joined(blocks: Iterable[Block]) -> str:
    return " ".join(block.text for block in blocks)


def _shape_text(shape: Element, styles: _Styles, seen: _Seen | None = None) -> list[Block]:
    writer = _Writer(styles, seen, boxes_aside=False)
    writer.write(shape)
    return writer.layout.blocks()


def _rows(sheet: Element, merged: Merged, comments: list[Block]) -> Iterator[list[str]]:
    """Rows of a sheet; cells that are merged over several are added to ``merged`` before them, and
    comments on cells to ``comments``.
    """
    number, row_number = 0, 1
    for event, tag, row, walker in walk(sheet):
        if event == "start" and tag == "table:table-row":
            walker.skip_subtree()
            cells = _cells(row, merged, number)
            comments += _comments(row, row_number)
            repeated = parse_number(attribute(row, "table:number-rows-repeated"), 1)
            row_number += repeated
            # Consecutive empty rows are one gap.
            repeated = repeated if cells and repeated <= _MOST_REPEATED else 1
            number += repeated
            yield from ([*cells] for _ in range(repeated))


def _cells(row: Element, merged: Merged, number: int) -> list[str]:
    cells: list[str] = []
    for cell in children(row, "table:table-cell", "table:covered-table-cell"):
        lines = ("".join(_visible(line)) for line in children(cell, "text:p"))
        words = " ".join(lines).strip()
        spanned = parse_number(attribute(cell, "table:number-rows-spanned"), 1)
        if spanned > 1:
            span = (len(cells), number + 1, number + spanned - 1)
            merged.setdefault(number, []).append(span)
        repeated = parse_number(attribute(cell, "table:number-columns-repeated"), 1)
        cells += [words] * min(repeated, _MOST_REPEATED)
        if len(cells) >= _MOST_COLUMNS:
            break
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _comments(row: Element, row_number: int) -> Iterator[Block]:
    from openpyxl.utils import get_column_letter

    column = 1
    for cell in children(row, "table:table-cell", "table:covered-table-cell"):
        comment = child(cell, _COMMENT)
        if comment is not None:
            words = _joined(_shape_text(comment, _NO_STYLES))
            yield Block(f"Comment on {get_column_letter(column)}{row_number}: {words}")
        column += parse_number(attribute(cell, "table:number-columns-repeated"), 1)
        if column > _MOST_COLUMNS:
            break


def _visible(line: Element) -> Iterator[str]:
    if not len(line):
        return iter((line.text or "",))
    writer = _Writer(_NO_STYLES)
    writer.write(line)
    return (block.text for block in writer.layout.blocks())


def _read_styles(package: Package, content: Element) -> _Styles:
    places = [
        place
        for root in (content, package.tree_if_readable("styles.xml"))
        for place in children(root, "office:automatic-styles", "office:styles")
    ]
    styles = [style for place in places for style in children(place, "style:style")]
    titles = {
        _style_name(style)
        for style in styles
        if attribute(style, "style:parent-style-name") == _TITLE
    }
    hidden = (
        (attribute(style, "style:family") or "", _style_name(style))
        for style in styles
        if attribute(child(style, "style:text-properties"), "text:display") == "none"
    )
    lists = [style for place in places for style in children(place, "text:list-style")]
    return _Styles(dict(_starts(lists)), frozenset({_TITLE, *titles}), frozenset(hidden))


def _style_name(style: Element) -> str:
    return attribute(style, "style:name") or ""


def _starts(lists: Iterable[Element]) -> Iterator[tuple[tuple[str, int], int]]:
    for style in lists:
        for level in children(style, "text:list-level-style-number"):
            deep = parse_number(attribute(level, "text:level"), 0)
            yield (_style_name(style), deep), parse_number(attribute(level, "text:start-value"), 1)
