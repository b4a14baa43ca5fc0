"""OpenDocument: texts (ODT), presentations (ODP) and workbooks (ODS)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from rag.errors import LoadError
from rag.loaders.layout import Layout
from rag.loaders.loaded import Block, Loaded
from rag.loaders.office import About, described
from rag.loaders.package import Element, Package, attribute, child, children, open_package, walk
from rag.loaders.rows import told
from rag.loaders.sheets import SHEET_LEVEL, Allowance
from rag.loaders.slides import NOTES, TITLE_LEVEL, paged

_KIND = "OpenDocument file"
_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"
_OUT_OF_SIGHT = frozenset(
    {
        *("office:annotation", "text:tracked-changes", "text:table-of-content", "text:ruby-text"),
        *("office:forms", "text:sequence-decls", "table:shapes", "text:note-citation"),
        *("presentation:notes", "office:event-listeners"),
    }
)
_AS_HTML = {
    "table:table": "table",
    "table:table-row": "tr",
    "table:table-cell": "td",
    "text:list-item": "li",
    "text:list-header": "li",
    "text:p": "p",
}
_TOP = frozenset({"text:p", "text:h", "text:list", "table:table"})
_AS_TEXT = {"text:s": " ", "text:tab": " "}
_NUMBER = re.compile(r"[0-9]{1,9}")
_MOST_REPEATED = 1_000
"""Copies of one cell or row: more of them fill a sheet to its margin, and say nothing."""


def load_odt(data: bytes) -> Loaded:
    """Read an OpenDocument text as ``load_docx`` reads a Word document.

    Raises LoadError where it is none, damaged, encrypted, or out of all bounds.
    """
    package, content = _opened(data)
    body = _body(content, "office:text")
    writer = _Writer(_numbered(package, content))
    writer.write(body)
    return _about(package).loaded(writer.layout.blocks())


def load_odp(data: bytes) -> Loaded:
    """Read an OpenDocument presentation as ``load_pptx`` reads one of PowerPoint.

    Raises LoadError where it is none, damaged, encrypted, or out of all bounds.
    """
    package, content = _opened(data)
    numbered = _numbered(package, content)
    pages = children(_body(content, "office:presentation"), "draw:page")
    return paged([_slide(page, numbered) for page in pages], _about(package))


def load_ods(data: bytes) -> Loaded:
    """Read an OpenDocument workbook as ``load_xlsx`` reads one of Excel.

    Raises LoadError where it is none, damaged, encrypted, or out of all bounds.
    """
    package, content = _opened(data)
    allowance = Allowance()
    blocks: list[Block] = []
    for sheet in children(_body(content, "office:spreadsheet"), "table:table"):
        name = attribute(sheet, "table:name") or ""
        blocks.append(Block(name, SHEET_LEVEL))
        blocks += told(allowance.of(_rows(sheet), f"sheet {name!r}"))
    return _about(package).loaded(blocks, tuple(allowance.left_out))


def _opened(data: bytes) -> tuple[Package, Element]:
    package = open_package(data, _KIND)
    # Not parsed: those of some real files are no XML in the strict sense.
    if _MANIFEST in package and b"encryption-data" in package.read(_MANIFEST):
        raise LoadError("it is encrypted; save an unprotected copy and index that")
    if _CONTENT not in package:
        raise LoadError(f"it is no {_KIND}; give it the ending that fits what it holds")
    return package, package.tree(_CONTENT)


def _body(content: Element, kind: str) -> Element:
    body = child(content, "office:body", kind)
    if body is None:
        raise LoadError("it holds something else; give it the ending that fits what it holds")
    return body


def _about(package: Package) -> About:
    try:
        root = package.tree_if_there("meta.xml")
    except LoadError:  # the text is what matters
        root = None
    return described(child(root, "office:meta"), dates=("dc:date", "meta:creation-date"))


def _numbered(package: Package, content: Element) -> frozenset[tuple[str, int]]:
    """The levels (from 1) of the styles of lists whose items have numbers."""
    try:
        roots = [content, package.tree_if_there("styles.xml")]
    except LoadError:  # bullets do as well
        roots = [content]
    return frozenset(
        (attribute(style, "style:name") or "", int(level))
        for root in roots
        for place in children(root, "office:automatic-styles", "office:styles")
        for style in children(place, "text:list-style")
        for number in children(style, "text:list-level-style-number")
        if _NUMBER.fullmatch(level := attribute(number, "text:level") or "")
    )


class _Writer:
    """Tells a layout what the elements of a document mean."""

    def __init__(self, numbered: frozenset[tuple[str, int]], *, boxes_aside: bool = True) -> None:
        self.layout = Layout(frozenset())
        self._numbered = numbered
        self._boxes_aside = boxes_aside
        self._lists: list[str] = []  # the styles of those that we are in
        self._ends: list[str] = []
        self._aside: deque[tuple[str, Element]] = deque()
        self._notes = 0
        self._depth = 0
        self._mark = ""  # what the next paragraph begins with
        self._beside = False  # what we write stands aside itself

    def write(self, root: Element) -> None:
        """All that is in ``root``; notes and boxes after the paragraph that they belong to."""
        for event, tag, element, walker in walk(root):
            if event == "end":
                self._end(tag, element)
            elif tag in _OUT_OF_SIGHT or (element is not root and self._goes_aside(tag, element)):
                walker.skip_subtree()
            else:
                self._start(tag, element)

    def _goes_aside(self, tag: str, element: Element) -> bool:
        if tag == "text:note":
            self._notes += 1
            body = child(element, "text:note-body")
            self._aside.append((f"Note {self._notes}: ", element if body is None else body))
        elif tag == "draw:text-box" and self._boxes_aside and self._depth:
            self._aside.append(("", element))
        else:
            return False
        return True

    def _start(self, tag: str, element: Element) -> None:
        self._depth += tag in _TOP
        if tag == "text:h":
            level = attribute(element, "text:outline-level") or "1"
            deep = int(level) if _NUMBER.fullmatch(level) else 1
            self._ends.append(f"h{min(max(deep, 1), 6)}")
            self.layout.start(self._ends[-1], {})
        elif tag == "text:list":
            self._start_of_list(element)
        elif tag in _AS_HTML:
            self.layout.start(_AS_HTML[tag], {})
        elif tag in _AS_TEXT:
            self.layout.data(_AS_TEXT[tag])
        elif tag == "text:line-break":
            self.layout.start("br", {})
        if tag in ("text:p", "text:h"):
            self.layout.data(self._mark)
            self._mark = ""
        if self._holds_words(element):
            self.layout.data(element.text or "")

    def _holds_words(self, element: Element) -> bool:
        """Elsewhere blanks only arrange the markup."""
        return bool((element.text or "").strip()) or bool(self._depth)

    def _start_of_list(self, element: Element) -> None:
        style = attribute(element, "text:style-name") or (self._lists[-1] if self._lists else "")
        self._lists.append(style)
        is_numbered = (style, len(self._lists)) in self._numbered
        self.layout.start("ol" if is_numbered else "ul", {})

    def _end(self, tag: str, element: Element) -> None:
        if tag == "text:h":
            self.layout.end(self._ends.pop())
        elif tag == "text:list":
            self.layout.end("ul")
            self._lists.pop()
        elif tag in _AS_HTML:
            self.layout.end(_AS_HTML[tag])
        self._depth -= tag in _TOP
        if tag in _TOP and not self._depth and not self._beside:
            self._write_aside()
        if element.tail and self._depth:
            self.layout.data(element.tail)

    def _write_aside(self) -> None:
        self._beside = bool(self._aside)
        while self._aside:
            self._mark, element = self._aside.popleft()
            self.write(element)
        self._mark, self._beside = "", False


def _slide(page: Element, numbered: frozenset[tuple[str, int]]) -> list[Block]:
    titles: list[Block] = []
    blocks: list[Block] = []
    for shape in page:
        kind = attribute(shape, "presentation:class")
        if kind in ("date-time", "footer", "page-number", "header"):
            continue
        said = _said(shape, numbered)
        if kind == "title" and said:
            titles.append(Block(" ".join(block.text for block in said), TITLE_LEVEL))
        else:
            blocks += said
    notes = [
        block
        for notes in children(page, "presentation:notes")
        for frame in notes
        if attribute(frame, "presentation:class") == "notes"
        for block in _said(frame, numbered)
    ]
    return [*titles, *blocks, *([NOTES, *notes] if notes else [])]


def _said(shape: Element, numbered: frozenset[tuple[str, int]]) -> list[Block]:
    writer = _Writer(numbered, boxes_aside=False)
    writer.write(shape)
    return writer.layout.blocks()


def _rows(sheet: Element) -> Iterator[list[str]]:
    for event, tag, row, walker in walk(sheet):
        if event == "start" and tag == "table:table-row":
            walker.skip_subtree()
            cells = _cells(row)
            repeated = _times(attribute(row, "table:number-rows-repeated"))
            if not cells:
                yield []  # any number of empty rows is one gap
            elif repeated <= _MOST_REPEATED:
                yield from (cells for _ in range(repeated))
            else:
                yield cells


def _cells(row: Element) -> list[str]:
    cells: list[str] = []
    for cell in children(row, "table:table-cell", "table:covered-table-cell"):
        lines = ("".join(_visible(line)) for line in children(cell, "text:p"))
        words = " ".join(lines).strip()
        repeated = _times(attribute(cell, "table:number-columns-repeated"))
        cells += [words] * min(repeated, _MOST_REPEATED)
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _times(repeated: str | None) -> int:
    return int(repeated) if repeated and _NUMBER.fullmatch(repeated) else 1


def _visible(line: Element) -> Iterator[str]:
    if not len(line):
        return iter((line.text or "",))
    writer = _Writer(frozenset())
    writer.write(line)
    return (block.text for block in writer.layout.blocks())
