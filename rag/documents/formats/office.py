"""What office files have in common: their main part, their properties, how lists are told."""

from __future__ import annotations

from collections.abc import Iterator

from rag.documents.dates import parse_date
from rag.documents.layout import Layout
from rag.documents.metadata import About
from rag.documents.office_zip import Element, Package, child
from rag.errors import LoadError

_DEEPEST_ITEM = 8
"""Lists in a list; the programs themselves offer nine levels."""


def main_part(package: Package, kind: str, root: str) -> str:
    """The name of the part of an OOXML file that all others hang from; it is in folder ``root``.

    Raises LoadError where there is none, as in a file of another kind than ``kind``.
    """
    for relation, name in package.relations("").values():
        if relation == "officeDocument" and name in package and name.startswith(root):
            return name
    raise LoadError(f"it is no {kind}; give it the ending that fits what it holds")


def about(package: Package) -> About:
    """What the core properties of an OOXML file say; a file may lack them."""
    named = (name for kind, name in package.relations("").values() if kind == "core-properties")
    try:
        root = package.tree_if_there(next(named, "docProps/core.xml"))
    except LoadError:  # the text is what matters
        root = None
    return described(root, authors=("dc:creator",), dates=("dcterms:modified", "dcterms:created"))


def described(root: Element | None, *, authors: tuple[str, ...], dates: tuple[str, ...]) -> About:
    """What the children of ``root`` say in the words of the Dublin Core.

    ``authors`` and ``dates`` name elements, the one that counts first; of the dates, it is the
    first that names a day.
    """

    def said(*names: str) -> Iterator[str]:
        for name in names:
            element = child(root, name)
            if element is not None and (element.text or "").strip():
                yield element.text

    return About(
        title=next(said("dc:title"), ""),
        author=next(said(*authors), ""),
        date=next(filter(parse_date, said(*dates)), ""),
        language=next(said("dc:language"), ""),
    )


class Items:
    """Opens and closes lists in a layout as one item after another comes with its level."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._open: list[int | None] = []  # the number that comes next in each, if any

    def start(self, level: int, number: int | None) -> None:
        """An item begins; level 0 is the outermost, ``number`` None where it has none."""
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
        """The item ends; others may follow."""
        self._layout.end("li")

    def close(self) -> None:
        """No item follows: all lists end."""
        for _ in self._open:
            self._layout.end("ul")
        self._open.clear()
