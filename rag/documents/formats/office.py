"""Shared parts of office formats: main part, properties, lists."""

from __future__ import annotations

from collections.abc import Iterator

from rag.documents.dates import parse_date
from rag.documents.layout import Layout
from rag.documents.metadata import FileMetadata
from rag.documents.office_zip import Element, Package, child
from rag.errors import LoadError

_DEEPEST_ITEM = 8
"""Maximum list depth; the programs themselves offer nine levels."""


def main_part(package: Package, kind: str, root: str) -> str:
    """Name of the main part of an OOXML file, which must be in folder ``root``.

    Raises LoadError if there is none, as in a file of another kind than ``kind``.
    """
    for relation, name in package.relations("").values():
        if relation == "officeDocument" and name in package and name.startswith(root):
            return name
    raise LoadError(f"it is not a valid {kind}; give it the extension that matches its content")


def about(package: Package) -> FileMetadata:
    """Metadata from an OOXML file's core properties, which may be missing."""
    named = (name for kind, name in package.relations("").values() if kind == "core-properties")
    try:
        root = package.tree_if_there(next(named, "docProps/core.xml"))
    except LoadError:  # the text is what matters
        root = None
    return dublin_core(root, authors=("dc:creator",), dates=("dcterms:modified", "dcterms:created"))


def dublin_core(
    root: Element | None, *, authors: tuple[str, ...], dates: tuple[str, ...]
) -> FileMetadata:
    """Read Dublin Core metadata from the children of ``root``.

    ``authors`` and ``dates`` are element names in order of preference; of the dates, the first
    valid one is used.
    """

    def values_of(*names: str) -> Iterator[str]:
        for name in names:
            element = child(root, name)
            if element is not None and (element.text or "").strip():
                yield element.text

    return FileMetadata(
        title=next(values_of("dc:title"), ""),
        author=next(values_of(*authors), ""),
        date=next(filter(parse_date, values_of(*dates)), ""),
        language=next(values_of("dc:language"), ""),
    )


class Items:
    """Opens and closes lists in a layout according to each item's level."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._open: list[int | None] = []  # next number of each open list, None if unnumbered

    def start(self, level: int, number: int | None) -> None:
        """Begin an item; level 0 is the outermost, ``number`` is None if unnumbered."""
        level = min(max(level, 0), _DEEPEST_ITEM)
        while len(self._open) > level + 1 or (len(self._open) > level and self._open[-1] != number):
            self._layout.end("ul")
            self._open.pop()
        while len(self._open) <= level:
            here = number if len(self._open) == level else None
            self._layout.start("ul" if here is None else "ol", {"start": str(here)})
            self._open.append(here)
        self._layout.start("li", {})
        if number is not None:
            self._open[-1] = number + 1

    def end(self) -> None:
        """End the item; more may follow."""
        self._layout.end("li")

    def close(self) -> None:
        """Close all lists."""
        for _ in self._open:
            self._layout.end("ul")
        self._open.clear()
