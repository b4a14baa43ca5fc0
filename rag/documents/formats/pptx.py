"""Presentations (PPTX)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rag.documents.content import Content
from rag.documents.formats.chart import write_chart
from rag.documents.formats.office_math import linear
from rag.documents.formats.office_text import write_paragraphs
from rag.documents.formats.picture import Pictures
from rag.documents.layout import Layout, is_power
from rag.documents.loaded import Block, Loaded, join_blocks, join_texts
from rag.documents.metadata import Metadata
from rag.documents.office_zip import (
    Element,
    Package,
    attribute,
    child,
    children,
    core_properties,
    left_out,
    open_ooxml,
    walk,
)
from rag.documents.whitespace import one_line
from rag.errors import LoadError

TITLE_LEVEL = 2
NOTES = Block("Speaker notes", TITLE_LEVEL + 1)

_TITLES = frozenset({"title", "ctrTitle"})
_MARGINS = frozenset({"dt", "ftr", "hdr", "sldNum", "sldImg"})
_OUTLINES = frozenset({"", "body", "obj"})
_BODIES = frozenset({"p:txBody", "a:txBody"})
_LEFT_OUT = {r"ppt/embeddings/(?!.*\.xls[xbm]?$)": "embedded file"}  # workbooks are those of charts
_AS_HTML = {"a:tbl": "table", "a:tr": "tr", "a:tc": "td"}


def load_pptx(content: Content, *, pictures: Pictures | None = None) -> Loaded:
    """Load a presentation: one page per slide, including hidden ones, in order.

    A slide yields its title as a heading, its text, lists, tables, diagram text and charts, the
    text that ``pictures`` reads in pictures, comments and the speaker notes. Footers of slides are
    omitted. Title, author and date (of the last change) come from the presentation's properties. An
    unreadable slide is an empty page named in the warnings.

    Raises LoadError if it is not a presentation, damaged, encrypted, or exceeds the limits.
    """
    package, part = open_ooxml(content, "PowerPoint presentation", "ppt/")
    pictures = pictures or Pictures()
    slides: list[list[Block]] = []
    warnings: list[str] = []
    for name in _names(package, part):
        try:
            slides.append(_slide(package, name, pictures))
        except LoadError as error:
            slides.append([])
            warnings.append(f"slide {len(slides)} was left out: {error}")
    if not warnings:
        pictures.refuse_without(slides)
    if warnings and len(warnings) == len(slides):
        raise LoadError(f"none of its slides can be read: {warnings[0]}")
    warnings += (*pictures.warnings, *left_out(package, _LEFT_OUT))
    return join_pages(slides, core_properties(package), warnings)


def join_pages(
    pages: Iterable[Sequence[Block]], stated: Metadata, warnings: Sequence[str] = ()
) -> Loaded:
    """Join the blocks of all pages to one text, with a span per page, even if empty."""
    text, headings, spans = join_texts(map(join_blocks, pages))
    return replace(stated.of_text(text, headings, warnings=tuple(warnings)), pages=spans)


def _names(package: Package, part: str) -> Iterable[str]:
    """Names of the slide parts, in order, without duplicates."""
    relations = package.relations(part)
    slides = children(child(package.tree(part), "p:sldIdLst"), "p:sldId")
    targets = (relations.get(attribute(slide, "r:id") or "", ("", ""))[1] for slide in slides)
    return dict.fromkeys(targets)


def _slide(package: Package, name: str, pictures: Pictures) -> list[Block]:
    root = package.tree(name)
    relations = package.relations(name)
    titles: list[Element] = []
    others: list[Element] = []
    for shape in _shapes(root):
        (titles if _placeholder(shape) in _TITLES else others).append(shape)
    layout = Layout(frozenset())
    for title in titles:
        layout.start(f"h{TITLE_LEVEL}", {})
        layout.data(" ".join(map(_words, _paragraphs(title))))
        layout.end(f"h{TITLE_LEVEL}")
    for shape in others:
        kind = _placeholder(shape)
        if kind not in _MARGINS:
            is_long = sum(bool(_words(one).strip()) for one in _paragraphs(shape)) > 1
            _write(shape, layout, is_outline=kind in _OUTLINES and is_long)
            _write_diagrams(shape, layout, package, relations)
            _write_charts(shape, layout, package, relations)
            _write_pictures(shape, layout, package, relations, pictures)
    return [*layout.blocks(), *_comments(package, relations), *_notes(package, relations)]


def _shapes(root: Element) -> Iterable[Element]:
    """Shapes with text of their own on a slide, and pictures, including those in groups."""
    for event, tag, element, walker in walk(root):
        if event == "start" and tag == "mc:Fallback":
            walker.skip_subtree()
        elif event == "start" and tag in ("p:sp", "p:graphicFrame", "p:pic"):
            yield element
            walker.skip_subtree()


def _placeholder(shape: Element) -> str | None:
    """Placeholder type of a shape ("title", "body", ...); None if it is not one."""
    of_slide = child(shape, "p:nvSpPr", "p:nvPr", "p:ph")
    return None if of_slide is None else attribute(of_slide, "type") or ""


def _paragraphs(shape: Element) -> list[Element]:
    return list(children(child(shape, "p:txBody"), "a:p"))


def _words(paragraph: Element) -> str:
    return "".join(_runs(paragraph))


def _runs(paragraph: Element) -> Iterable[str]:
    """Text runs of a paragraph, including formulas; a line feed for a line break."""
    before = ""
    for event, tag, element, walker in walk(paragraph):
        if event == "start" and tag in ("a:t", "m:t"):
            words = element.text or ""
            baseline = attribute(child(element.getparent(), "a:rPr"), "baseline") or ""
            is_raised = bool(baseline) and not baseline.startswith(("-", "0"))
            yield f"^{words}" if is_raised and is_power(before, words) else words
            before = words
        elif event == "start" and tag == "m:oMath":
            yield linear(element)
            walker.skip_subtree()
        elif event == "start" and tag == "a:tab":
            yield " "
        elif event == "start" and tag == "a:br":
            yield "\n"
        elif event == "start" and tag == "mc:Fallback":
            walker.skip_subtree()


def _write(root: Element, layout: Layout, *, is_outline: bool = False) -> None:
    """Write paragraphs and tables. Paragraphs with a bullet, and in an outline all that don't
    suppress it, are list items.
    """
    numbers: dict[int, int] = {}
    for event, tag, element, walker in walk(root):
        if tag in _AS_HTML:
            (layout.start(_AS_HTML[tag], {}) if event == "start" else layout.end(_AS_HTML[tag]))
        elif tag in _BODIES:
            layout.end_items()
            numbers = {}
        elif tag == "a:p" and event == "start":
            walker.skip_subtree()
            if _words(element).strip():
                end = _start_paragraph(element, layout, numbers, is_outline=is_outline)
                for words in _runs(element):
                    if words == "\n":
                        layout.start("br", {})
                    else:
                        layout.data(words)
                layout.end(end)
    layout.end_items()


def _start_paragraph(
    paragraph: Element, layout: Layout, numbers: dict[int, int], *, is_outline: bool
) -> str:
    """Begin a paragraph or list item and return the tag that ends it; ``numbers`` are the current
    ones by level.
    """
    properties = child(paragraph, "a:pPr")
    level = _level(properties)
    is_numbered = _has(properties, "a:buAutoNum")
    has_bullet = _has(properties, "a:buChar", "a:buBlip")
    if not (is_numbered or has_bullet or (is_outline and not _has(properties, "a:buNone"))):
        layout.end_items()
        layout.start("p", {})
        return "p"
    for deeper in [one for one in numbers if one > level]:
        del numbers[deeper]
    numbers[level] = numbers.get(level, 0) + 1 if is_numbered else 0
    layout.start_item(level, numbers[level] or None)
    return "li"


def _has(properties: Element | None, *names: str) -> bool:
    return any(True for _ in children(properties, *names))


def _level(properties: Element | None) -> int:
    level = attribute(properties, "lvl") or ""
    return int(level) if re.fullmatch("[0-8]", level) else 0


def _write_diagrams(
    shape: Element, layout: Layout, package: Package, relations: Mapping[str, tuple[str, str]]
) -> None:
    """Write the text of diagrams (SmartArt), which are parts of their own."""
    for event, tag, element, _ in walk(shape):
        if event == "start" and tag == "dgm:relIds":
            name = relations.get(attribute(element, "r:dm") or "", ("", ""))[1]
            points = child(package.tree_if_there(name), "dgm:ptLst")
            if points is not None:
                _write(points, layout, is_outline=True)


def _write_charts(
    shape: Element, layout: Layout, package: Package, relations: Mapping[str, tuple[str, str]]
) -> None:
    """Write charts, which are parts of their own."""
    for event, tag, element, _ in walk(shape):
        if event == "start" and tag == "c:chart":
            name = relations.get(attribute(element, "r:id") or "", ("", ""))[1]
            chart = package.tree_if_there(name)
            if chart is not None:
                write_chart(chart, layout)


def _write_pictures(
    shape: Element,
    layout: Layout,
    package: Package,
    relations: Mapping[str, tuple[str, str]],
    pictures: Pictures,
) -> None:
    """Write the text in pictures, which are parts of their own."""
    for event, tag, element, _ in walk(shape):
        if event == "start" and tag == "a:blip":
            name = relations.get(attribute(element, "r:embed") or "", ("", ""))[1]
            write_paragraphs(pictures.text_of_part(package, name), layout)


def _comments(package: Package, relations: Mapping[str, tuple[str, str]]) -> Iterable[Block]:
    """Comments on a slide, and replies to them, of PowerPoint before and since 2021."""
    names = [name for kind, name in relations.values() if kind == "comments"]
    for root in map(package.tree_if_readable, names):
        for comment in () if root is None else root.iter("{*}cm", "{*}reply"):
            words = [one.text or "" for one in comment.iterfind("{*}text")]
            words += map(_words, comment.iterfind("{*}txBody/{*}p"))
            if text := one_line(" ".join(words)):
                yield Block(f"Comment: {text}")


def _notes(package: Package, relations: Mapping[str, tuple[str, str]]) -> list[Block]:
    named = (name for kind, name in relations.values() if kind == "notesSlide")
    root = package.tree_if_there(next(named, None))
    if root is None:
        return []
    layout = Layout(frozenset())
    for shape in _shapes(root):
        if _placeholder(shape) == "body":
            _write(shape, layout)
    blocks = layout.blocks()
    return [NOTES, *blocks] if blocks else []
