"""Word documents (DOCX)."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from rag.documents.content import Content
from rag.documents.formats.office import Items, about, main_part
from rag.documents.layout import Layout
from rag.documents.loaded import Loaded
from rag.documents.office_zip import (
    Element,
    Package,
    attribute,
    child,
    children,
    open_package,
    walk,
)
from rag.errors import LoadError

_KIND = "Word document"
_OUT_OF_SIGHT = frozenset(
    {
        *("w:pPr", "w:rPr", "w:tblPr", "w:sectPr", "w:sdtPr"),  # formatting
        *("w:del", "w:moveFrom", "w:rt"),  # struck out, moved away, how a word is read aloud
        "mc:Fallback",  # the same as in mc:Choice, for older programs
    }
)
_AS_HTML = {"w:tbl": "table", "w:tr": "tr", "w:tc": "td"}
_AS_TEXT = {"w:tab": " ", "w:noBreakHyphen": "-"}
_HEADING = re.compile(r"heading ([1-9])")
_CONTENTS = re.compile(r"toc [1-9]")
_NOTHING = "nothing"
_LEVELS = frozenset("012345678")
_BODY_LEVEL = 9  # an outline level that means "no heading"
_DEEPEST_HEADING = 6
_ON = frozenset({"", "1", "true", "on"})
"""What a property that is there may say without saying that it does not hold."""
_OTHER_FORMATS = (
    "parts of it are stored in another format and were left out; "
    "open it in a word processor and save it again"
)
_NOTE_PARTS = {"footnotes": "w:footnote", "endnotes": "w:endnote"}
_NOTE_REFERENCES = {"w:footnoteReference": "w:footnote", "w:endnoteReference": "w:endnote"}


@dataclass(frozen=True, slots=True)
class _Style:
    """What a paragraph is by its style: how deep a heading, which list, which level there."""

    heading: int | None = None
    numbering: str | None = None
    level: int = 0
    contents: bool = False


_PLAIN = _Style()


@dataclass(slots=True)
class _Numbering:
    """The lists of a document: which of their levels are numbered, and how far they have come."""

    starts: Mapping[tuple[str, int], int]
    counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def next(self, numbering: str, level: int) -> int | None:
        """The number of the next item, or None where its items have none."""
        start = self.starts.get((numbering, level))
        if start is None:
            return None
        number = self.counts.get((numbering, level), start - 1) + 1
        self.counts[numbering, level] = number
        for deeper in range(level + 1, 9):
            self.counts.pop((numbering, deeper), None)
        return number


def load_docx(content: Content) -> Loaded:
    """Read a Word document: headings, paragraphs, lists and tables in the order of the page.

    Footnotes, endnotes and text boxes follow the paragraph that they belong to. Headers and
    footers, comments, hidden words, the table of contents and what tracked changes struck out are
    left out. Title, author, language and date, the day of the last change, are from the
    document's properties.

    Raises LoadError where it is none, damaged, encrypted, or out of all bounds.
    """
    package = open_package(content, _KIND)
    part = main_part(package, _KIND, "word/")
    body = child(package.tree(part), "w:body")
    if body is None:
        raise LoadError("it is damaged (no body); get a whole copy of it")
    parts = dict(package.relations(part).values())
    writer = _Writer(
        styles=_styles(package.tree_if_there(parts.get("styles"))),
        numbering=_Numbering(_starts(package.tree_if_there(parts.get("numbering")))),
        notes=_notes(package, parts),
    )
    writer.write(body)
    warnings = (_OTHER_FORMATS,) if any(True for _ in children(body, "w:altChunk")) else ()
    return about(package).loaded(writer.layout.blocks(), warnings)


class _Writer:
    """Tells a layout what the elements of a document mean."""

    def __init__(
        self,
        *,
        styles: Mapping[str, _Style],
        numbering: _Numbering,
        notes: Mapping[tuple[str, str], Element],
    ) -> None:
        self.layout = Layout(frozenset())
        self._items = Items(self.layout)
        self._styles = styles
        self._numbering = numbering
        self._notes = notes
        self._told: set[tuple[str, str]] = set()
        self._aside: deque[tuple[str, Element]] = deque()
        self._depth = 0  # tables and paragraphs that we are in
        self._ends: list[str] = []  # what the paragraphs that we are in end with
        self._mark = ""  # what the next paragraph begins with
        self._beside = False  # what we write stands aside itself

    def write(self, root: Element) -> None:
        """All that is in ``root``, then all that stands aside and has no place yet."""
        self._write(root)
        self._write_aside()
        self._items.close()

    def _write(self, root: Element) -> None:
        for event, tag, element, walker in walk(root):
            if event == "end":
                self._end(tag)
            elif _is_out_of_sight(tag, element) or self._goes_aside(tag, element, root):
                walker.skip_subtree()
            else:
                self._start(tag, element)
                if self._ends and self._ends[-1] == _NOTHING:
                    walker.skip_subtree()

    def _goes_aside(self, tag: str, element: Element, root: Element) -> bool:
        if element is root:
            return False
        if tag == "w:txbxContent":
            self._aside.append(("", element))
        elif tag in _NOTE_REFERENCES:
            key = _NOTE_REFERENCES[tag], attribute(element, "w:id") or ""
            if key in self._notes and key not in self._told:
                self._told.add(key)
                self._aside.append((f"Note {len(self._told)}: ", self._notes[key]))
        else:
            return False
        return True

    def _write_aside(self) -> None:
        """What belongs to the paragraph or table before, and what belongs to that in turn."""
        self._beside = bool(self._aside)
        while self._aside:
            self._mark, element = self._aside.popleft()
            self._items.close()
            self._write(element)
        self._mark, self._beside = "", False

    def _start(self, tag: str, element: Element) -> None:
        if tag == "w:p":
            self._depth += 1
            self._start_of_paragraph(self._style_of(element))
        elif tag in _AS_HTML:
            self._depth += 1
            self._items.close()
            self.layout.start(_AS_HTML[tag], {})
        elif tag in ("w:t", "m:t"):
            self.layout.data(element.text or "")
        elif tag in _AS_TEXT:
            self.layout.data(_AS_TEXT[tag])
        elif tag in ("w:br", "w:cr"):
            self.layout.start("br", {})

    def _start_of_paragraph(self, style: _Style) -> None:
        if style.contents:
            self._ends.append(_NOTHING)
        elif style.numbering and not style.heading:
            self._ends.append("li")
            number = self._numbering.next(style.numbering, style.level)
            self._items.start(style.level, number)
        else:
            self._items.close()
            self._ends.append(f"h{style.heading}" if style.heading else "p")
            self.layout.start(self._ends[-1], {})
        self.layout.data(self._mark)
        self._mark = ""

    def _end(self, tag: str) -> None:
        if tag == "w:p":
            self._end_of_paragraph(self._ends.pop())
        elif tag in _AS_HTML:
            self._items.close()
            self.layout.end(_AS_HTML[tag])
        else:
            return
        self._depth -= 1
        if not self._depth and not self._beside:
            self._write_aside()

    def _end_of_paragraph(self, end: str) -> None:
        if end == "li":
            self._items.end()
        elif end != _NOTHING:
            self.layout.end(end)

    def _style_of(self, paragraph: Element) -> _Style:
        properties = child(paragraph, "w:pPr")
        usual = self._styles.get("", _PLAIN)
        style = self._styles.get(_value(child(properties, "w:pStyle")), usual)
        return style if properties is None else _with_own(style, properties)


def _is_out_of_sight(tag: str, element: Element) -> bool:
    if tag == "w:r":
        return _is_on(child(element, "w:rPr", "w:vanish"))
    if tag == "w:sdt":
        kind = child(element, "w:sdtPr", "w:docPartObj", "w:docPartGallery")
        return _value(kind) == "Table of Contents"
    return tag in _OUT_OF_SIGHT


def _is_on(element: Element | None) -> bool:
    return element is not None and _value(element) in _ON


def _value(element: Element | None) -> str:
    return "" if element is None else attribute(element, "w:val") or ""


def _number(element: Element | None, otherwise: int) -> int:
    value = _value(element)
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else otherwise


def _with_own(style: _Style, properties: Element) -> _Style:
    """The style, but for what these properties of a paragraph or another style say."""
    outline = child(properties, "w:outlineLvl")
    if outline is not None:
        level = _number(outline, _BODY_LEVEL)
        style = replace(
            style, heading=min(level + 1, _DEEPEST_HEADING) if level < _BODY_LEVEL else None
        )
    numbering = child(properties, "w:numPr")
    if numbering is not None:
        listed = _value(child(numbering, "w:numId")) or style.numbering
        style = replace(
            style,
            numbering=listed if listed != "0" else None,
            level=_number(child(numbering, "w:ilvl"), style.level),
        )
    return style


def _styles(root: Element | None) -> Mapping[str, _Style]:
    """What each style of paragraphs means, by its id; the default one also by no id."""
    elements = {
        name: style
        for style in children(root, "w:style")
        if (name := attribute(style, "w:styleId"))
    }
    styles: dict[str, _Style] = {}
    default = _PLAIN
    for name, element in elements.items():
        style = _style(name, elements, styles)
        is_default = attribute(element, "w:default") in _ON
        if is_default and attribute(element, "w:type") == "paragraph":
            default = style
    return styles | {"": default}


def _style(name: str, elements: Mapping[str, Element], known: dict[str, _Style]) -> _Style:
    """What the style of this name means; it, and those that it is based on, become ``known``."""
    unknown: dict[str, None] = {}
    while name in elements and name not in known and name not in unknown:
        unknown[name] = None
        name = _value(child(elements[name], "w:basedOn"))
    style = known.get(name, _PLAIN)
    for derived in reversed(unknown):
        style = known[derived] = _derived(style, elements[derived])
    return style


def _derived(style: _Style, element: Element) -> _Style:
    """The style, but for what the element says of one that is based on it."""
    # The names of built-in styles are English in the file, whatever the program shows.
    name = _value(child(element, "w:name")).lower()
    heading = _HEADING.fullmatch(name)
    if heading:
        style = replace(style, heading=min(int(heading[1]), _DEEPEST_HEADING))
    elif name == "title":
        style = replace(style, heading=1)
    elif _CONTENTS.fullmatch(name):
        style = replace(style, contents=True)
    properties = child(element, "w:pPr")
    return style if properties is None else _with_own(style, properties)


def _starts(root: Element | None) -> dict[tuple[str, int], int]:
    """Where the numbered levels of each list start; levels with bullets have no entry."""
    levels: dict[str, dict[int, int]] = {}
    for abstract in children(root, "w:abstractNum"):
        levels[attribute(abstract, "w:abstractNumId") or ""] = {
            int(level): _number(child(element, "w:start"), 1)
            for element in children(abstract, "w:lvl")
            if (level := attribute(element, "w:ilvl") or "") in _LEVELS
            and _value(child(element, "w:numFmt")) not in ("bullet", "none")
        }
    starts: dict[tuple[str, int], int] = {}
    for number in children(root, "w:num"):
        name = attribute(number, "w:numId") or ""
        here = levels.get(_value(child(number, "w:abstractNumId")), {})
        starts |= {(name, level): start for level, start in here.items()}
        for change in children(number, "w:lvlOverride"):
            level = attribute(change, "w:ilvl") or ""
            if level in _LEVELS and int(level) in here:
                start = child(change, "w:startOverride")
                starts[name, int(level)] = _number(start, here[int(level)])
    return starts


def _notes(package: Package, parts: Mapping[str, str]) -> dict[tuple[str, str], Element]:
    """Footnotes and endnotes, by kind and id; the lines above them on the page are none."""
    return {
        (tag, attribute(note, "w:id") or ""): note
        for kind, tag in _NOTE_PARTS.items()
        for note in children(package.tree_if_there(parts.get(kind)), tag)
        if attribute(note, "w:type") in (None, "normal")
    }
