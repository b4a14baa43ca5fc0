"""Word documents (DOCX)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rag.documents.content import Content
from rag.documents.formats.office_text import DEEPEST_HEADING, OfficeText, parse_number
from rag.documents.loaded import Loaded
from rag.documents.office_zip import (
    Element,
    Package,
    attribute,
    child,
    children,
    core_properties,
    open_ooxml,
)
from rag.errors import LoadError

_OUT_OF_SIGHT = frozenset(
    {
        *("w:pPr", "w:rPr", "w:tblPr", "w:sectPr", "w:sdtPr"),  # formatting
        *("w:del", "w:moveFrom", "w:rt"),  # deleted, moved away, ruby text (pronunciation)
        "mc:Fallback",  # fallback of mc:Choice for older programs
    }
)
_AS_HTML = {"w:tbl": "table", "w:tr": "tr", "w:tc": "td"}
_AS_TEXT = {"w:tab": " ", "w:noBreakHyphen": "-"}
_HEADING = re.compile(r"heading ([1-9])")
_CONTENTS = re.compile(r"toc [1-9]")
_LEVELS = frozenset("012345678")
_BODY_LEVEL = 9  # an outline level that means "no heading"
_ON = frozenset({"", "1", "true", "on"})
"""Values with which a boolean property is on."""
_OTHER_FORMATS = (
    "parts of it are stored in another format and were left out; "
    "open it in a word processor and save it again"
)
_NOTE_PARTS = {"footnotes": "w:footnote", "endnotes": "w:endnote"}
_NOTE_REFERENCES = {"w:footnoteReference": "w:footnote", "w:endnoteReference": "w:endnote"}


@dataclass(frozen=True, slots=True)
class _Style:
    """Meaning of a paragraph style: heading level, list, list level."""

    heading: int | None = None
    numbering: str | None = None
    level: int = 0
    contents: bool = False


_PLAIN = _Style()


def load_docx(content: Content) -> Loaded:
    """Load a Word document: headings, paragraphs, lists and tables in page order.

    Footnotes, endnotes and text boxes follow their paragraph. Headers and footers, comments, hidden
    text, the table of contents and tracked deletions are omitted. Title, author, language and date
    (of the last change) come from the document's properties.

    Raises LoadError if it is not a Word document, damaged, encrypted, or exceeds the limits.
    """
    package, part = open_ooxml(content, "Word document", "word/")
    body = child(package.tree(part), "w:body")
    if body is None:
        raise LoadError("it is damaged (no body); get a complete copy of it")
    parts = dict(package.relations(part).values())
    writer = _Writer(package, parts)
    writer.write(body)
    warnings = (_OTHER_FORMATS,) if any(True for _ in children(body, "w:altChunk")) else ()
    return core_properties(package).of_blocks(writer.layout.blocks(), warnings)


class _Writer(OfficeText):
    OUTERMOST = frozenset({"w:p", "w:tbl"})
    MIXED = False

    def __init__(self, package: Package, parts: Mapping[str, str]) -> None:
        super().__init__()
        self._styles = _styles(package.tree_if_there(parts.get("styles")))
        self._starts = _starts(package.tree_if_there(parts.get("numbering")))
        self._notes = _notes(package, parts)
        self._noted: set[tuple[str, str]] = set()
        self._counts: dict[tuple[str, int], int] = {}  # current number by list and level

    def _is_hidden(self, tag: str, element: Element) -> bool:
        if tag == "w:p":
            return self._style_of(element).contents
        if tag == "w:r":
            return _is_on(child(element, "w:rPr", "w:vanish"))
        if tag == "w:sdt":
            kind = child(element, "w:sdtPr", "w:docPartObj", "w:docPartGallery")
            return _value(kind) == "Table of Contents"
        return tag in _OUT_OF_SIGHT

    def _aside_of(self, tag: str, element: Element) -> tuple[str, Element] | None:
        if tag == "w:txbxContent":
            return "", element
        if tag in _NOTE_REFERENCES:
            key = _NOTE_REFERENCES[tag], attribute(element, "w:id") or ""
            if key in self._notes and key not in self._noted:
                self._noted.add(key)
                return f"Note {len(self._noted)}: ", self._notes[key]
        return None

    def _start(self, tag: str, element: Element) -> None:
        if tag == "w:p":
            self._start_paragraph_of(self._style_of(element))
        elif tag in _AS_HTML:
            self.layout.end_items()
            self.layout.start(_AS_HTML[tag], {})
        elif tag in ("w:t", "m:t"):
            self.layout.data(element.text or "")
        elif tag in _AS_TEXT:
            self.layout.data(_AS_TEXT[tag])
        elif tag in ("w:br", "w:cr"):
            self.layout.start("br", {})

    def _start_paragraph_of(self, style: _Style) -> None:
        if style.numbering and not style.heading:
            number = self._next_number(style.numbering, style.level)
            self._start_paragraph("li", style.level, number)
        else:
            self.layout.end_items()
            self._start_paragraph(f"h{style.heading}" if style.heading else "p")

    def _next_number(self, numbering: str, level: int) -> int | None:
        """Number of the next item; None in a bulleted list."""
        start = self._starts.get((numbering, level))
        if start is None:
            return None
        number = self._counts[numbering, level] = (
            self._counts.get((numbering, level), start - 1) + 1
        )
        for deeper in range(level + 1, 9):
            self._counts.pop((numbering, deeper), None)
        return number

    def _end(self, tag: str) -> None:
        if tag == "w:p":
            self.layout.end(self._ends.pop())
        elif tag in _AS_HTML:
            self.layout.end_items()
            self.layout.end(_AS_HTML[tag])

    def _style_of(self, paragraph: Element) -> _Style:
        properties = child(paragraph, "w:pPr")
        named = _value(child(properties, "w:pStyle"))
        return _override(self._styles.get(named, self._styles[""]), properties)


def _is_on(element: Element | None) -> bool:
    return element is not None and _value(element) in _ON


def _value(element: Element | None) -> str:
    return attribute(element, "w:val") or ""


def _number(element: Element | None, otherwise: int) -> int:
    return parse_number(_value(element), otherwise)


def _override(style: _Style, properties: Element | None) -> _Style:
    outline = child(properties, "w:outlineLvl")
    if outline is not None:
        level = _number(outline, _BODY_LEVEL)
        heading = min(level + 1, DEEPEST_HEADING) if level < _BODY_LEVEL else None
        style = replace(style, heading=heading)
    numbering = child(properties, "w:numPr")
    if numbering is not None:
        listed = _value(child(numbering, "w:numId")) or style.numbering
        level = _number(child(numbering, "w:ilvl"), style.level)
        style = replace(style, numbering=listed if listed != "0" else None, level=level)
    return style


def _styles(root: Element | None) -> Mapping[str, _Style]:
    """Paragraph styles by id; the default style also under the empty id."""
    elements = {
        name: style
        for style in children(root, "w:style")
        if (name := attribute(style, "w:styleId"))
    }
    styles: dict[str, _Style] = {}
    default = _PLAIN
    for name, element in elements.items():
        _resolve(name, elements, styles)
        is_default = attribute(element, "w:default") in _ON
        if is_default and attribute(element, "w:type") == "paragraph":
            default = styles[name]
    return styles | {"": default}


def _resolve(name: str, elements: Mapping[str, Element], known: dict[str, _Style]) -> None:
    """Add a style, and the styles it is based on, to ``known``."""
    unknown: dict[str, None] = {}
    while name in elements and name not in known and name not in unknown:
        unknown[name] = None
        name = _value(child(elements[name], "w:basedOn"))
    style = known.get(name, _PLAIN)
    for derived in reversed(unknown):
        style = known[derived] = _derived(style, elements[derived])


def _derived(style: _Style, element: Element) -> _Style:
    # In the file, built-in styles have English names, whatever the program shows.
    name = _value(child(element, "w:name")).lower()
    if heading := _HEADING.fullmatch(name):
        style = replace(style, heading=min(int(heading[1]), DEEPEST_HEADING))
    elif name == "title":
        style = replace(style, heading=1)
    elif _CONTENTS.fullmatch(name):
        style = replace(style, contents=True)
    return _override(style, child(element, "w:pPr"))


def _starts(root: Element | None) -> dict[tuple[str, int], int]:
    """Start numbers by list and level; bulleted levels have no entry."""
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
    """Footnotes and endnotes, by kind and id, without separator lines."""
    return {
        (tag, attribute(note, "w:id") or ""): note
        for kind, tag in _NOTE_PARTS.items()
        for note in children(package.tree_if_there(parts.get(kind)), tag)
        if attribute(note, "w:type") in (None, "normal")
    }
