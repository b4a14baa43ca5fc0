"""E-books (EPUB 2 and 3)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rag.documents.character_encoding import decode
from rag.documents.content import Content
from rag.documents.formats.html import declared_encoding, feed
from rag.documents.layout import MACHINERY, Layout
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata, file_metadata
from rag.documents.office_zip import Element, Package, not_valid, open_package, resolved
from rag.documents.whitespace import one_line
from rag.errors import LoadError

_KIND = "EPUB"
_CHAPTER_LEVEL = 1
_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document"})
_DECLARATION = re.compile(r"<\?xml[^>]*\?>|\x00")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"})
_CLOSED_AT_ONCE = re.compile(r"<([A-Za-z][\w:-]*)((?:\s[^<>]*)?)/>")
_MOST_CHARACTERS = 50_000_000
"""Maximum number of characters per book; the longest novels have ten million."""


class _Item(NamedTuple):
    name: str
    kind: str
    properties: list[str]


def load_epub(content: Content) -> Loaded:
    """Load an e-book, with its chapters in reading order.

    A chapter without a heading gets its title from the table of contents, which is itself omitted.
    Title, authors, language and date are those of the book. Unreadable chapters are named in the
    warnings.

    Raises LoadError if it is not an e-book, damaged, copy-protected, or exceeds the limits.
    """
    package = open_package(content, _KIND)
    book = _book(package)
    root = package.tree(book)
    items = _items(root, book.rpartition("/")[0])
    _refuse_if_protected(package)
    labels = _labels(package, items)
    blocks: list[Block] = []
    warnings: list[str] = []
    left = _MOST_CHARACTERS
    for item in _spine(root, items):
        try:
            chapter = _chapter(package, item, labels.get(item.name, ""))
        except LoadError as error:
            warnings.append(f"{item.name} was left out: {error}")
            continue
        left -= sum(len(block.text) for block in chapter)
        if left < 0:
            raise LoadError(f"it has more than {_MOST_CHARACTERS:,} characters; split it")
        blocks += chapter
    if warnings and not blocks:
        raise LoadError(f"none of its chapters can be read: {warnings[0]}")
    return _about(root).of_blocks(blocks, tuple(warnings))


def _all(root: Element | None, name: str) -> Iterator[Element]:
    """Elements of this name below ``root``, in any namespace: many books get it wrong."""
    return iter(()) if root is None else root.iter(f"{{*}}{name}")


def _book(package: Package) -> str:
    """Name of the package document, which lists all other parts."""
    if _CONTAINER not in package:
        raise not_valid(_KIND)
    for file in _all(package.tree(_CONTAINER), "rootfile"):
        return resolved("", file.get("full-path", ""))
    raise LoadError("it is damaged (it names no book); get a complete copy of it")


def _items(root: Element, folder: str) -> dict[str, _Item]:
    return {
        item.get("id", ""): _Item(
            name=resolved(folder, item.get("href", "")),
            kind=item.get("media-type", ""),
            properties=item.get("properties", "").split(),
        )
        for manifest in _all(root, "manifest")
        for item in _all(manifest, "item")
    }


def _spine(root: Element, items: Mapping[str, _Item]) -> Iterator[_Item]:
    written: set[str] = set()
    for spine in _all(root, "spine"):
        for reference in _all(spine, "itemref"):
            item = items.get(reference.get("idref", ""))
            if item is None or item.kind not in _PAGES or item.name in written:
                continue
            written.add(item.name)
            if "nav" not in item.properties:
                yield item


def _refuse_if_protected(package: Package) -> None:
    """Raise LoadError for DRM-protected text; obfuscated fonts alone are fine."""
    if _ENCRYPTION not in package:
        return
    for reference in _all(package.tree(_ENCRYPTION), "CipherReference"):
        name = resolved("", reference.get("URI", ""))
        if name.lower().endswith((".xhtml", ".html", ".htm", ".xml", ".ncx", ".opf")):
            raise LoadError("it is encrypted (copy-protected); get an unprotected copy of it")


def _labels(package: Package, items: Mapping[str, _Item]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for item in items.values():
        folder = item.name.rpartition("/")[0]
        is_nav = "nav" in item.properties
        if item.name not in package or not (is_nav or item.kind == "application/x-dtbncx+xml"):
            continue
        try:
            root = package.tree(item.name)
        except LoadError:  # the chapters are readable without it
            continue
        for target, label in _links(root) if is_nav else _points(root):
            labels.setdefault(resolved(folder, target), one_line(label))
    return labels


def _links(root: Element) -> Iterator[tuple[str, str]]:
    for nav in _all(root, "nav"):
        for link in _all(nav, "a"):
            yield link.get("href", ""), "".join(link.itertext())


def _points(root: Element) -> Iterator[tuple[str, str]]:
    for point in _all(root, "navPoint"):
        label = next(_all(point, "text"), None)
        content = next(_all(point, "content"), None)
        if label is not None and content is not None:
            yield content.get("src", ""), label.text or ""


def _chapter(package: Package, item: _Item, label: str) -> list[Block]:
    data = package.read(item.name)
    markup, _ = decode(data, declared_encoding(data))
    layout = Layout(MACHINERY)
    feed(_CLOSED_AT_ONCE.sub(_expand_empty_tag, _DECLARATION.sub("", markup)), layout)
    blocks = layout.blocks()
    if not blocks or not label or any(block.level for block in blocks):
        return blocks
    is_repeated = one_line(blocks[0].text).lower() == label.lower()
    return [Block(label, _CHAPTER_LEVEL), *blocks[is_repeated:]]


def _expand_empty_tag(tag: re.Match[str]) -> str:
    """Rewrite XML's <a/> as <a></a>; HTML would treat what follows as inside it."""
    return tag[0] if tag[1].lower() in _VOID else f"<{tag[1]}{tag[2]}></{tag[1]}>"


def _about(root: Element) -> Metadata:
    values: dict[str, list[str]] = {}
    for metadata in _all(root, "metadata"):
        for element in metadata.iter():
            if words := one_line("".join(element.itertext())):
                name = element.tag.rpartition("}")[2].lower()  # old books write dc:Title
                values.setdefault(name, []).append(html.unescape(words))
    return file_metadata(
        title=values.get("title", [""])[0],
        author=", ".join(values.get("creator", [])),
        date=values.get("date", [""])[0],
        language=values.get("language", [""])[0],
    )
