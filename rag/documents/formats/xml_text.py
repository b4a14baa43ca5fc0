"""XML of any vocabulary: its words, with titles as headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from textwrap import dedent
from typing import Any, TypeAlias

from rag.documents.content import Content, whole
from rag.documents.formats.html import blocks_of
from rag.documents.formats.plain_text import load_plain
from rag.documents.layout import BLOCKS as HTML_BLOCKS
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata
from rag.documents.office_zip import is_out_of_memory
from rag.documents.whitespace import one_line

_Element: TypeAlias = Any  # an lxml element (lxml ships no types)

_LARGE = 8 << 20
_MOST_TAGS = 300_000
"""Size in bytes, and number of tags, beyond which XML is read as plain text: parsed, it would take
too much memory."""

_MOST_ATTRIBUTES = 1_000
"""Number of attributes of an element beyond which XML is read as plain text: lxml's time for them
grows with the square of their number."""

_TITLES = frozenset({"title", "subtitle", "head", "heading", "headline", "name"})
_WORDS = frozenset(
    {
        *("text", "title", "name", "label", "caption", "description", "desc", "summary", "alt"),
        *("value", "author", "created", "date", "when", "from", "to", "body", "address"),
    }
)
"""Attributes that hold what people read, in lower case."""

_DRAWING = frozenset({"d", "points", "transform", "style", "class"})
"""Attributes of shapes and their looks, in lower case."""

_PARAGRAPHS = frozenset({"p", "para", "text"})
_INLINE = frozenset(
    {
        *("a", "abbr", "b", "bold", "c", "code", "em", "emph", "emphasis", "hi", "i", "italic"),
        *("q", "s", "sc", "seg", "small", "span", "strike", "strong", "sub", "subscript", "sup"),
        *("superscript", "tspan", "tt", "u", "underline", "w", "xref"),
        # TEI, for letters that an editor marked
        *("add", "am", "corr", "del", "ex", "expan", "g", "gap", "orig", "pc", "reg", "sic"),
        *("supplied", "unclear"),
        # MathML, for formulas
        *("math", "mfrac", "mi", "mn", "mo", "mrow", "msub", "msup", "mtext"),
    }
)
"""Elements that may be part of a word."""

_BLOCKS = HTML_BLOCKS | {
    *("ab", "abstract", "cell", "disp-formula", "disp-quote", "entry", "fig", "head", "heading"),
    *("item", "itemizedlist", "l", "label", "lg", "li", "line", "list", "list-item", "listitem"),
    *("member", "ol", "orderedlist", "para", "paragraph", "programlisting", "row", "screen"),
    *("sec", "simplelist", "simpara", "sp", "speaker", "step", "subtitle", "table", "table-wrap"),
    *("td", "th", "title", "tr", "ul", "variablelist", "varlistentry"),
}
"""Elements that are paragraphs of their own, in lower case."""

_APART = frozenset(
    {"br", "cb", "fn", "footnote", "lb", "linebreak", "newline", "note", "pb", "tab"}
)
"""Elements inside of a paragraph, but not of a word."""

_MARKUP = re.compile(r"</[A-Za-z]\w*>|<br\b")
_DEEPEST, _DEEPEST_HEADING = 20, 6
_LONGEST_HEADING = 120
_LEAST_WORDS = 8
"""Minimum number of words for an element to be a paragraph rather than a field of a record."""


def load_xml(content: Content) -> Iterator[Loaded]:
    """Load XML: an element with running text is a paragraph, an element named as a title a heading,
    and any other text a line such as "price: 12". Of the attributes, those of elements without
    text of their own are read, and elsewhere those whose names say that people read them. Entities
    are not expanded. What isn't well-formed, is large, or has no words is read as plain text.

    Raises LoadError if the bytes are not text.
    """
    data = whole(content) if len(content) < _LARGE else b""
    root = _root(data) if 0 < data.count(b"<") <= _MOST_TAGS else None
    blocks = iter(()) if root is None else _blocks(root)
    first = next((one for one in blocks if one.text), None)
    return load_plain(content) if first is None else Metadata().in_parts(chain([first], blocks))


def _root(data: bytes) -> _Element | None:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        if is_out_of_memory(error):
            raise MemoryError from error
        return None
    # An entity that isn't expanded would cost its words.
    if next(root.iter(etree.Entity), None) is not None:
        return None
    most = max(len(one.attrib) for one in root.iter(etree.Element))
    return root if most <= _MOST_ATTRIBUTES else None


def _blocks(root: _Element) -> Iterator[Block]:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    lines: list[str] = []
    depth = 0
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        if event == "end":
            depth -= 1
            if len(element) and lines:
                yield Block(dedent("\n".join(lines)))
                lines = []
            continue
        name = etree.QName(element).localname
        indent = "  " * min(depth, _DEEPEST)
        depth += 1
        lines += [f"{indent}{one}" for one in _attributes(element)]
        if len(element) and not _is_mixed(element):
            continue
        walker.skip_subtree()
        runs = list(_runs(element))
        source = "\n".join(runs)
        words = one_line(source)
        is_title = name.lower() in _TITLES and len(words) <= _LONGEST_HEADING
        is_page = bool(_MARKUP.search(source))
        if words and not (is_title or is_page or len(element) or _is_prose(name, words)):
            lines.append(f"{indent}{name}: {words}")
        elif words:
            yield Block(dedent("\n".join(lines)))
            lines = []
            if is_title:
                yield Block(words, min(max(depth - 1, 1), _DEEPEST_HEADING))
            else:
                yield from blocks_of(source) if is_page else map(Block, map(one_line, runs))
    yield Block(dedent("\n".join(lines)))


def _runs(element: _Element) -> Iterator[str]:
    """The text in an element, divided where blocks in it begin and end."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    run = [element.text or ""]
    for event, one in etree.iterwalk(element, events=("start", "end")):
        if one is element:
            continue
        name = etree.QName(one).localname.lower()
        if name in _BLOCKS:
            yield "".join(run)
            run = []
        elif name not in _INLINE and (name in _APART or _has_neighbour(one)):
            run += " " * (one.get("break") != "no")  # as TEI marks a line that ends in a word
        run.append((one.text if event == "start" else one.tail) or "")
    yield "".join(run)


def _has_neighbour(element: _Element) -> bool:
    """Whether an element follows or precedes without any text between, as in a list."""
    before = element.getprevious()
    return (not element.tail and element.getnext() is not None) or (
        before is not None and not before.tail
    )


def _attributes(element: _Element) -> Iterator[str]:
    is_data = _is_data(element)
    for name, value in element.attrib.items():
        local = name.rpartition("}")[2]
        is_wanted = is_data and local == name and local.lower() not in _DRAWING
        if (is_wanted or local.lower() in _WORDS) and (words := one_line(value)):
            yield words if local.lower() in ("text", "title") else f"{local}: {words}"


def _is_data(element: _Element) -> bool:
    """Whether an element's words are all in its attributes, or in elements that are no titles: a
    record, then, rather than a chapter.
    """
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    first = etree.QName(element[0]).localname.lower() if len(element) else ""
    return first not in _TITLES and not _is_mixed(element)


def _is_prose(name: str, words: str) -> bool:
    return name.lower() in _PARAGRAPHS or len(words.split()) >= _LEAST_WORDS


def _is_mixed(element: _Element) -> bool:
    """Whether an element has both text and elements in it."""
    return any((words or "").strip() for words in (element.text, *(one.tail for one in element)))
