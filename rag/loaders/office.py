"""What office files and e-books say of themselves, and how their lists are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rag.errors import LoadError
from rag.loaders.dates import parse_date
from rag.loaders.layout import Layout
from rag.loaders.loaded import Block, Loaded, put_together
from rag.loaders.markdown import first_title
from rag.loaders.package import Element, Package, child
from rag.loaders.tidying import one_line


def main_part(package: Package, kind: str, root: str) -> str:
    """The name of the part of an OOXML file that all others hang from; it is in folder ``root``."""
    for relation, name in package.relations("").values():
        if relation == "officeDocument" and name in package and name.startswith(root):
            return name
    raise LoadError(f"it is no {kind}; give it the ending that fits what it holds")


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself; each in the first form that there is."""

    title: str = ""
    author: str = ""
    date: str = ""
    language: str = ""

    def loaded(
        self,
        blocks: Iterable[Block],
        warnings: tuple[str, ...] = (),
    ) -> Loaded:
        """The blocks as a text, with what the file says of itself."""
        text, headings = put_together(blocks)
        return Loaded(
            text=text,
            title=one_line(self.title) or first_title(text, headings),
            date=parse_date(self.date),
            metadata=self.metadata(),
            headings=headings,
            warnings=warnings,
        )

    def metadata(self) -> dict[str, str]:
        """What there is of author, language and "date_from"."""
        metadata = {
            "author": one_line(self.author),
            "language": one_line(self.language),
            "date_from": "file" if parse_date(self.date) else "",
        }
        return {name: value for name, value in metadata.items() if value}


def about(package: Package) -> About:
    """What the core properties of an OOXML file say; a file may lack them."""
    named = (name for kind, name in package.relations("").values() if kind == "core-properties")
    try:
        root = package.tree_if_there(next(named, "docProps/core.xml"))
    except LoadError:  # the text is what matters
        root = None
    return described(root, dates=("dcterms:modified", "dcterms:created"))


def described(root: Element | None, *, dates: tuple[str, ...]) -> About:
    """What the children of ``root`` say in the words of the Dublin Core."""

    def first(*names: str) -> str:
        found = (child(root, name) for name in names)
        return next((e.text for e in found if e is not None and (e.text or "").strip()), "")

    return About(
        title=first("dc:title"),
        author=first("dc:creator"),
        date=first(*dates),
        language=first("dc:language"),
    )


class Items:
    """Opens and closes lists in a layout as one item after another comes with its level."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._open: list[int | None] = []  # the number that comes next in each, if any

    def start(self, level: int, number: int | None) -> None:
        """An item begins; level 0 is the outermost, ``number`` None where it has none."""
        level = min(max(level, 0), 8)
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
