"""reStructuredText, by docutils."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeAlias

from rag.documents.character_encoding import decoded_pieces, encoding_note
from rag.documents.content import Content
from rag.documents.layout import Layout
from rag.documents.loaded import Block, Loaded, join_blocks
from rag.documents.metadata import from_fields
from rag.documents.splitter import regroup
from rag.documents.whitespace import one_line

if TYPE_CHECKING:
    from docutils import nodes

_Node: TypeAlias = Any  # a docutils node; only some of them have attributes

_SETTINGS: dict[str, Any] = {
    # Read nothing but the file itself, and execute nothing in it.
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    # Markup errors don't concern a reader: no messages, no halt.
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": False,
    "traceback": True,
    "line_length_limit": 1 << 30,
    "syntax_highlight": "none",
    "input_encoding": "unicode",
    "strip_comments": True,
    "sectnum_xform": False,
}

_MOST_STRETCHES = 10
_MOST_LINES = 50_000
_MOST_SEARCHED = 300_000_000
"""Limit of parsing cost above which the source is used as text: the parser would take half a minute
or more. For each inline mark the parser scans the rest of the paragraph, so the cost is the sum
over paragraphs of marks times characters."""

_GAP = re.compile(r"\n[ \t\r]*\n")
_MARK = re.compile(r"[*`|]\S|_\W")

_AS_HTML = {
    kind: tag
    for tag, kinds in {
        "p": ("attribution", "caption", "math_block", "paragraph", "rubric"),
        "div": ("citation", "footnote", "line_block"),
        "pre": ("doctest_block", "literal_block"),
        "blockquote": ("block_quote",),
        "ul": ("bullet_list",),
        "ol": ("enumerated_list",),
        "li": ("list_item",),
        "dl": ("definition_list",),
        "dt": ("field_name", "option_group", "term"),
        "dd": ("definition", "description", "field_body"),
        "table": ("table",),
        "tr": ("row",),
        "td": ("entry",),
    }.items()
    for kind in kinds
}
_BESIDE = frozenset({"definition", "description", "field_body"})
_OUT_OF_SIGHT = frozenset(
    {
        *("comment", "substitution_definition", "target", "raw", "meta", "decoration", "pending"),
        *("generated", "docinfo", "colspec"),
    }
)
_ROLE = re.compile(r":[\w:+.-]+:`(?:[~!])?([^`<]*?)(?:\s*<[^`>]*>)?`")
_DIRECTIVE = re.compile(r"\s*\.\. ([\w:+.-]+)::[ \t]*")
_OPTION = re.compile(r"\s*:[\w-]+:(?:\s.*)?")
_FOREIGN = frozenset({"include", "literalinclude", "raw"})
"""Directives whose first argument is a file or format name."""
_DEEPEST_HEADING = 6
_SEVERE = 3
"""Level of error messages from which the parser dropped text that only the message contains."""


def load_rst(content: Content) -> Iterator[Loaded]:
    """Load reStructuredText as the rendered plain text.

    Unknown directives and roles, such as those of Sphinx, leave their text. Title, author, date and
    language are from the document's field list; otherwise the title may be its first heading. If
    the markup can't be parsed at all, the source is used as text, and the metadata's "extraction"
    is "source".

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content)
    metadata = encoding_note(encoding)
    stretches = regroup(pieces)
    first = list(islice(stretches, _MOST_STRETCHES))
    further = list(islice(stretches, 1))
    found = None if further else _parse("".join(first).removeprefix("\ufeff"))
    if found is None:
        for stretch in chain(first, further, stretches):
            text, _ = join_blocks([Block(stretch)])
            yield Loaded(text=text, metadata=metadata | {"extraction": "source"})
        return
    blocks, fields = found
    yield from_fields(fields).of_text(*join_blocks(blocks), notes=metadata)


def _parse(source: str) -> tuple[list[Block], dict[str, str]] | None:
    """Parse into blocks and fields; None if the parser fails."""
    from docutils.core import publish_doctree

    if not _is_tractable(source):
        return None
    try:
        document = publish_doctree(source, settings_overrides=_SETTINGS)
        page = _Page()
        page.write(document)
    except (Exception, RecursionError):  # noqa: BLE001 - the source has all words, in any case
        return None
    return page.layout.blocks(), _fields(document)


def _is_tractable(source: str) -> bool:
    if source.count("\n") > _MOST_LINES:
        return False
    searched = (len(_MARK.findall(part)) * len(part) for part in _GAP.split(source))
    return sum(searched) <= _MOST_SEARCHED


def _fields(document: nodes.document) -> dict[str, str]:
    """Fields of the initial field list, and the title if set by a directive."""
    from docutils import nodes

    fields: dict[str, str] = {}
    for docinfo in document.findall(nodes.docinfo):
        for node in docinfo.children:
            if isinstance(node, nodes.field):
                name, words = (part.astext() for part in node.children[:2])
            elif isinstance(node, nodes.authors):
                name, words = "author", ", ".join(author.astext() for author in node.children)
            else:
                name, words = type(node).__name__, node.astext()
            fields[one_line(name).lower()] = one_line(words)
    heading = _title(document)
    title = document.get("title", "")  # without a directive, that of the heading
    named = {} if heading is not None and heading.astext() == title else {"title": one_line(title)}
    return named | fields


def _title(document: nodes.document) -> nodes.Node | None:
    """The document's own heading, if it has one."""
    from docutils import nodes

    first = document.children[0] if document.children else None
    return first if isinstance(first, nodes.title) else None


class _Page:
    def __init__(self) -> None:
        self.layout = Layout(frozenset())
        self._level = 0  # of the enclosing headings
        self._mark = ""  # start of the next paragraph

    def write(self, node: _Node) -> None:
        """Write a node and its children."""
        kind = type(node).__name__
        if kind == "Text":
            self.layout.data(node.astext())
        elif kind == "problematic":
            self.layout.data(_ROLE.sub(r"\1", node.astext()))
        elif kind in ("footnote_reference", "citation_reference"):
            self.layout.data(f"[{node.astext()}]")
        elif kind == "label":
            self._mark = f"[{node.astext()}] "
        elif kind == "system_message":
            self._write_message(node)
        elif kind == "section":
            self._write_section(node)
        elif kind in ("title", "subtitle"):
            self._write_title(node)
        elif kind not in _OUT_OF_SIGHT:
            self._write_element(node, kind)

    def _write_children(self, node: _Node) -> None:
        for child in node.children:
            self.write(child)

    def _write_element(self, node: _Node, kind: str) -> None:
        tag = _AS_HTML.get(kind)
        if kind == "paragraph" and type(node.parent).__name__ in _BESIDE and node.parent[0] is node:
            tag = None  # it continues what it explains
        if tag:
            self.layout.start(tag, {"start": str(node.get("start", 1))})
        if kind == "paragraph":
            self.layout.data(self._mark)
            self._mark = ""
        if kind == "option_group":
            self.layout.data(", ".join(option.astext() for option in node.children))
        else:
            self._write_children(node)
        if tag:
            self.layout.end(tag)
        elif kind == "line":
            self.layout.start("br", {})

    def _write_section(self, node: _Node) -> None:
        if "system-messages" not in node.get("classes", ()):
            self._level += 1
            self._write_children(node)
            self._level -= 1

    def _write_title(self, node: _Node) -> None:
        """A title of the document or a section is a heading; that of a table or box is not."""
        parent = type(node.parent).__name__
        self._level += parent == "document"  # everything after it is one level below
        is_heading = parent in ("document", "section")
        tag = f"h{min(self._level, _DEEPEST_HEADING)}" if is_heading else "p"
        self.layout.start(tag, {})
        self._write_children(node)
        self.layout.end(tag)

    def _write_message(self, node: _Node) -> None:
        """Write the unparsed source in an error message as text."""
        for child in node.children if node.get("level", 0) >= _SEVERE else ():
            if type(child).__name__ == "literal_block":
                self.layout.start("pre", {})
                self.layout.data(_without_directive(child.astext()))
                self.layout.end("pre")


def _without_directive(source: str) -> str:
    """Content of a directive, without its name and options."""
    directive = _DIRECTIVE.match(source)
    if directive is None:
        return source
    first, *lines = source[directive.end() :].split("\n")
    if directive[1].lower() in _FOREIGN:
        first = ""
    while lines and _OPTION.fullmatch(lines[0]):
        del lines[0]
    body = textwrap.dedent("\n".join(lines)).strip("\n")
    return _ROLE.sub(r"\1", f"{first}\n{body}".strip("\n"))
