"""Markdown: CommonMark with tables, strikethrough and front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rag.documents.character_encoding import decoded_pieces, encoding_note
from rag.documents.content import Content
from rag.documents.formats.html import feed
from rag.documents.layout import UNREADABLE, Layout
from rag.documents.loaded import Block, Loaded, join_blocks
from rag.documents.metadata import from_fields
from rag.documents.splitter import regroup

if TYPE_CHECKING:
    from markdown_it.token import Token

_DEEPEST = 40
"""Maximum nesting of quotes and lists; the parser recurses several times per level."""

_LONGEST_FRONT_MATTER = 50_000

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$", re.MULTILINE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[^>]*>", re.DOTALL)


def load_markdown(content: Content) -> Iterator[Loaded]:
    """Load Markdown as the rendered plain text, in parts if long.

    Emphasis, link targets and HTML tags are removed, their text stays; code is kept verbatim. The
    title is from the front matter, or else the first level-1 heading, or else the first heading.
    Unparseable front matter stays in the text.

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content)
    fence = ""
    for number, stretch in enumerate(regroup(pieces)):
        source = stretch.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        front, broken, body = ({}, "", source) if number else _front_matter(source)
        blocks, extraction = _blocks(fence + body)
        fence = _open_fence(fence + body)
        text, headings = join_blocks([Block(broken), *blocks])
        yield from_fields(front).of_text(text, headings, notes=extraction | encoding_note(encoding))


def _open_fence(source: str) -> str:
    """The opening line of a code block that is still open at the end."""
    opened = None
    for line in _FENCE.finditer(source):
        if opened is None:
            opened = line
        elif line[1].startswith(opened[1]) and not line[2].strip():
            opened = None
    return f"{opened[0].strip()}\n" if opened else ""


def _front_matter(source: str) -> tuple[Mapping[str, object], str, str]:
    """The front matter's fields, text to keep in its place if unparseable, and the rest."""
    import yaml  # type: ignore[import-untyped,unused-ignore]
    from frontmatter.default_handlers import YAMLHandler

    handler = YAMLHandler()
    if not handler.detect(source):
        return {}, "", source
    try:
        matter, body = handler.split(source)
    except ValueError:  # no closing dashes
        return {}, "", source
    if len(matter) > _LONGEST_FRONT_MATTER:
        return {}, matter, body
    try:
        # Not the default: the faster C loader crashes the whole process on deep nesting.
        entries = handler.load(matter, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError, RecursionError):
        return {}, matter, body
    if not isinstance(entries, dict | None):  # text between two horizontal rules, not front matter
        return {}, "", source
    return {str(key): value for key, value in (entries or {}).items()}, "", body


def _blocks(source: str) -> tuple[list[Block], dict[str, str]]:
    """Rendered blocks, or the source if nested too deep, with a note saying so."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST})
    tokens = parser.enable(["table", "strikethrough"]).parse(source)
    if any(token.level >= _DEEPEST - 1 for token in tokens):  # deeper, the parser drops text
        return [Block(source)], {"extraction": "source"}
    layout = Layout(UNREADABLE)
    _render(tokens, layout)
    return layout.blocks(), {}


def _render(tokens: Sequence[Token], layout: Layout) -> None:
    for token in tokens:
        if token.type == "inline":
            _render_inline(token.children or [], layout)
        elif token.type in ("fence", "code_block"):
            layout.start("pre", {})
            layout.data(token.content)
            layout.end("pre")
        elif token.type == "html_block":
            feed(token.content, layout)
        elif token.nesting >= 0:
            layout.start(token.tag, {key: str(value) for key, value in token.attrs.items()})
        else:
            layout.end(token.tag)


def _render_inline(tokens: Sequence[Token], layout: Layout) -> None:
    for token in _without_scripts(tokens):
        if token.type == "html_inline":
            _render_tag(token.content, layout)
        elif token.type == "softbreak":
            layout.data(" ")
        elif token.type == "hardbreak":
            layout.start("br", {})
        elif token.type == "image":
            _render_inline(token.children or [], layout)
        elif token.content:
            layout.data(token.content)


def _render_tag(written: str, layout: Layout) -> None:
    from lxml.html import defs  # type: ignore[import-untyped,unused-ignore]

    tag = _TAG.fullmatch(written)
    if tag is None:  # a comment or instruction
        return
    name = tag[2].lower()
    if name == "br":
        layout.start("br", {})
    elif name not in defs.tags:  # a placeholder such as <name>, or a type such as List<T>
        layout.data(written)


def _without_scripts(tokens: Sequence[Token]) -> Iterator[Token]:
    """Drop tokens between the tags of a script or style element."""
    names = [_tag_name(token) for token in tokens]
    last = {name: index for index, name in enumerate(names)}
    until = ""
    for index, (token, name) in enumerate(zip(tokens, names, strict=True)):
        if until:
            until = "" if name == until else until
        elif name in ("script", "style") and last.get(f"/{name}", 0) > index:
            until = f"/{name}"
        else:
            yield token


def _tag_name(token: Token) -> str:
    """Name of an HTML tag, prefixed by a slash if closing; empty for any other token."""
    tag = _TAG.fullmatch(token.content) if token.type == "html_inline" else None
    return f"{tag[1]}{tag[2].lower()}" if tag else ""
