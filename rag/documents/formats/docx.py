"""Word documents (DOCX)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rag.documents.content import Content
from rag.documents.formats.chart import write_chart
from rag.documents.formats.numbering import Numbering
from rag.documents.formats.office_math import linear
from rag.documents.formats.office_text import (
    DEEPEST_HEADING,
    OfficeText,
    comment_mark,
    parse_number,
)
from rag.documents.formats.picture import Pictures
from rag.documents.formats.symbols import PRIVATE, UNKNOWN, symbol
from rag.documents.loaded import Loaded
from rag.documents.office_zip import (
    Element,
    Package,
    attribute,
    child,
    children,
    core_properties,
    left_out,
    open_ooxml,
    short,
    walk,
)
from rag.documents.whitespace import one_line
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
_COUNTED = re.compile(r"(\d{1,3})[.)]")
"""A number in a list, rather than one by which a clause is cited."""

_PAGE = re.compile(r"\b(?:PAGE|NUMPAGES|SECTIONPAGES)\b")
_LEAST_WORDS_WITH_PAGE = 4
"""Minimum number of words for a header or footer to say more than "Page 1 of 9"."""

_CODE = re.compile(r"[0-9A-Fa-f]{1,4}")
_WORD = re.compile(r"[^\W\d_]{2,}")
_USUAL_SYMBOLS = "Symbol"
_BODY_LEVEL = 9  # an outline level that means "no heading"
_ON = frozenset({"", "1", "true", "on"})
"""Values with which a boolean property is on."""
_OTHER_FORMATS = (
    "parts of it are stored in another format and were left out; "
    "open it in a word processor and save it again"
)
_UNKNOWN_SYMBOLS = "{count:,} characters of symbol fonts are unknown; each is shown as {mark}"
_LEFT_OUT = {
    r"word/diagrams/data": "diagram",
    r"word/embeddings/(?!.*\.xls[xbm]?$)": "embedded file",  # workbooks are those of charts
}
_PICTURE_NAMES = {"a:blip": "r:embed", "v:imagedata": "r:id"}
_NOTE_PARTS = {"footnotes": "w:footnote", "endnotes": "w:endnote", "comments": "w:comment"}
_NOTE_REFERENCES = {
    "w:footnoteReference": "w:footnote",
    "w:endnoteReference": "w:endnote",
    "w:commentReference": "w:comment",
}


@dataclass(frozen=True, slots=True)
class _Style:
    """Meaning of a paragraph style: heading level, list, list level."""

    heading: int | None = None
    numbering: str | None = None
    level: int = 0
    contents: bool = False


_PLAIN = _Style()


def load_docx(content: Content, *, pictures: Pictures | None = None) -> Loaded:
    """Load a Word document: headings, paragraphs, lists and tables in page order.

    Footnotes, endnotes, comments, charts, text boxes and the text that ``pictures`` reads in
    pictures follow their paragraph; the headers and
    footers of pages follow the text, each once. Equations are in linear form, and numbers of
    paragraphs as Word shows them. Hidden text, the table of contents and tracked deletions are
    omitted. Title, author, language and date (of the last change) come from the document's
    properties.

    Raises LoadError if it is not a Word document, damaged, encrypted, or exceeds the limits.
    """
    package, part = open_ooxml(content, "Word document", "word/")
    body = child(package.tree(part), "w:body")
    if body is None:
        raise LoadError("it is damaged (no body); get a complete copy of it")
    pictures = pictures or Pictures()
    writer = _Writer(package, package.relations(part), pictures)
    writer.write(body)
    writer.write_margins()
    warnings = [_OTHER_FORMATS] if any(True for _ in children(body, "w:altChunk")) else []
    if writer.unknown_symbols:
        warnings.append(_UNKNOWN_SYMBOLS.format(count=writer.unknown_symbols, mark=UNKNOWN))
    blocks = writer.layout.blocks()
    if not blocks and warnings:
        raise LoadError(warnings[0])
    pictures.refuse_without(blocks)
    warnings += (*pictures.warnings, *left_out(package, _LEFT_OUT))
    return core_properties(package).of_blocks(blocks, tuple(warnings))


class _Writer(OfficeText):
    OUTERMOST = frozenset({"w:p", "w:tbl"})
    MIXED = False

    def __init__(
        self, package: Package, relations: Mapping[str, tuple[str, str]], pictures: Pictures
    ) -> None:
        super().__init__()
        self._pictures = pictures
        parts = dict(relations.values())
        self._styles = _styles(package.tree_if_there(parts.get("styles")))
        self._numbering = Numbering(package.tree_if_there(parts.get("numbering")))
        self._notes = _notes(package, parts)
        self._noted: dict[str, set[str]] = {}  # ids by kind
        self._is_raised = False
        self._package, self._relations = package, relations
        self.unknown_symbols = 0

    def _is_hidden(self, tag: str, element: Element) -> bool:
        if tag == "w:p":
            return self._style_of(element).contents
        if tag == "w:r":
            return _is_on(child(element, "w:rPr", "w:vanish"))
        if tag == "w:sdt":
            kind = child(element, "w:sdtPr", "w:docPartObj", "w:docPartGallery")
            return _value(kind) == "Table of Contents"
        return tag in _OUT_OF_SIGHT

    def _aside_of(self, tag: str, element: Element) -> tuple[str, Element | str] | None:
        if tag == "w:txbxContent":
            return "", element
        if tag in _NOTE_REFERENCES:
            key = kind, name = _NOTE_REFERENCES[tag], attribute(element, "w:id") or ""
            noted = self._noted.setdefault("comment" if kind == "w:comment" else "note", set())
            if key in self._notes and f"{kind} {name}" not in noted:
                noted.add(f"{kind} {name}")
                return self._mark_of(self._notes[key], len(noted)), self._notes[key]
        if tag == "c:chart":
            _, name = self._relations.get(attribute(element, "r:id") or "", ("", ""))
            chart = self._package.tree_if_there(name)
            return None if chart is None else ("", chart)
        if tag in _PICTURE_NAMES:
            shown = attribute(element, _PICTURE_NAMES[tag]) or ""
            kind, name = self._relations.get(shown, ("", ""))
            if kind == "image":
                return "", self._pictures.text_of_part(self._package, name)
        return None

    def _mark_of(self, note: Element, number: int) -> str:
        if short(note.tag) != "w:comment":
            return f"Note {number}: "
        return comment_mark(attribute(note, "w:author"))

    def _text_of(self, tag: str, element: Element) -> str | None:
        if tag == "m:oMath":
            return linear(element)
        if tag == "w:sym":
            written = attribute(element, "w:char") or ""
            code = int(written, 16) if _CODE.fullmatch(written) else 0
            return self._symbol(attribute(element, "w:font") or "", chr(code))
        return None

    def _symbol(self, font: str, character: str) -> str:
        shown = symbol(font, character)
        self.unknown_symbols += shown == UNKNOWN
        return shown

    def write_margins(self) -> None:
        """Write the headers and footers of pages, each text once."""
        written: set[str] = set()
        margins = sorted(
            (kind != "header", name)
            for kind, name in self._relations.values()
            if kind in ("header", "footer")
        )
        for is_footer, name in margins:
            root = self._package.tree_if_there(name)
            words = [] if root is None else [*map(one_line, _texts(root))]
            text = " ".join(filter(None, words))
            least = _LEAST_WORDS_WITH_PAGE if _has_page_number(root) else 1
            if root is not None and len(_WORD.findall(text)) >= least and text not in written:
                written.add(text)
                self.layout.end_items()
                self._mark = "Footer: " if is_footer else "Header: "
                self.write(root)
                self._mark = ""

    def _start(self, tag: str, element: Element) -> None:
        if tag == "w:p":
            self._start_paragraph_of(self._style_of(element), element)
        elif tag in _AS_HTML:
            self.layout.end_items()
            self.layout.start(_AS_HTML[tag], {})
        elif tag in ("w:t", "m:t"):
            self.layout.data(self._unicode(element))
        elif tag == "w:r":
            self._is_raised = _value(child(element, "w:rPr", "w:vertAlign")) == "superscript"
            if self._is_raised:
                self.layout.start("sup", {})
        elif tag == "c:chartSpace":
            write_chart(element, self.layout)
        elif tag in _AS_TEXT:
            self.layout.data(_AS_TEXT[tag])
        elif tag in ("w:br", "w:cr"):
            self.layout.start("br", {})

    def _unicode(self, element: Element) -> str:
        """The words of an element; characters of symbol fonts stand in a private area."""
        words: str = element.text or ""
        if not PRIVATE.search(words):
            return words
        fonts = child(element.getparent(), "w:rPr", "w:rFonts")
        font = attribute(fonts, "w:ascii") or attribute(fonts, "w:hAnsi") or _USUAL_SYMBOLS
        return PRIVATE.sub(lambda found: self._symbol(font, found[0]), words)

    def _start_paragraph_of(self, style: _Style, element: Element) -> None:
        label = None
        if style.numbering:
            level = self._level_of(style, child(element, "w:pPr"))
            label = self._numbering.next_label(style.numbering, level)
        counted = _COUNTED.fullmatch(label or "")
        if style.numbering and not style.heading and (counted or not label):
            number = int(counted[1]) if counted else None
            self._start_paragraph("li", style.level, number, label or "")
            return
        self.layout.end_items()
        self._start_paragraph(f"h{style.heading}" if style.heading else "p")
        if label and any(map(str.strip, _texts(element))):
            self.layout.data(f"{label} ")

    def _level_of(self, style: _Style, properties: Element | None) -> int:
        """The level of its list that a paragraph states, or that is linked to its style."""
        stated = child(properties, "w:numPr", "w:ilvl")
        named = _value(child(properties, "w:pStyle"))
        linked = self._numbering.level_of(style.numbering or "", named)
        return style.level if stated is not None or linked is None else linked

    def _end(self, tag: str) -> None:
        if tag == "w:p":
            self.layout.end(self._ends.pop())
        elif tag == "w:r" and self._is_raised:
            self.layout.end("sup")
            self._is_raised = False
        elif tag in _AS_HTML:
            self.layout.end_items()
            self.layout.end(_AS_HTML[tag])

    def _style_of(self, paragraph: Element) -> _Style:
        properties = child(paragraph, "w:pPr")
        named = _value(child(properties, "w:pStyle"))
        return _override(self._styles.get(named, self._styles[""]), properties)


def _texts(root: Element) -> Iterator[str]:
    """The texts of its paragraphs, or of a paragraph, without numbers and notes."""
    for event, tag, element, walker in walk(root):
        if event == "start" and tag in _OUT_OF_SIGHT:
            walker.skip_subtree()
        elif event == "start" and tag == "w:t":
            yield element.text or ""


def _has_page_number(root: Element | None) -> bool:
    fields = () if root is None else walk(root)
    return any(
        _PAGE.search(attribute(element, "w:instr") or element.text or "")
        for event, tag, element, _ in fields
        if event == "start" and tag in ("w:instrText", "w:fldSimple")
    )


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


def _notes(package: Package, parts: Mapping[str, str]) -> dict[tuple[str, str], Element]:
    """Footnotes and endnotes, by kind and id, without separator lines."""
    return {
        (tag, attribute(note, "w:id") or ""): note
        for kind, tag in _NOTE_PARTS.items()
        for note in children(package.tree_if_there(parts.get(kind)), tag)
        if attribute(note, "w:type") in (None, "normal")
    }
