"""Embedded file metadata: title, author, date, language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from rag.documents.dates import parse_date
from rag.documents.loaded import Block, Loaded, first_title, in_parts, join_blocks
from rag.documents.whitespace import one_line

_NO_TITLES = frozenset(
    {
        *("untitled", "powerpoint presentation", "powerpoint-präsentation"),
        *("présentation powerpoint", "presentación de powerpoint", "powerpoint-presentatie"),
        *("presentazione standard di powerpoint", "apresentação do powerpoint"),
        *("презентация powerpoint", "powerpoint 演示文稿", "powerpoint プレゼンテーション"),
    }
)
"""Placeholder titles inserted by programs."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """A file's own metadata, as written; empty strings where missing."""

    title: str = ""
    author: str = ""
    date: str = ""
    language: str = ""

    def loaded(self, blocks: Iterable[Block], warnings: tuple[str, ...] = ()) -> Loaded:
        """Combine the blocks and this metadata into a Loaded."""
        text, headings = join_blocks(blocks)
        return self.add_to(Loaded(text=text, headings=headings, warnings=warnings))

    def in_parts(
        self, blocks: Iterable[Block], warnings: Callable[[], tuple[str, ...]] = tuple
    ) -> Iterator[Loaded]:
        """As :meth:`loaded`, in parts; ``warnings`` is called after each part for its warnings."""
        for text, headings in in_parts(blocks):
            yield self.add_to(Loaded(text=text, headings=headings, warnings=warnings()))

    def add_to(self, loaded: Loaded) -> Loaded:
        """Add title, date and metadata to ``loaded``; a missing title is taken from a heading."""
        return replace(
            loaded,
            title=self._title() or first_title(loaded.text, loaded.headings),
            date=parse_date(self.date),
            metadata={**loaded.metadata, **self.metadata()},
        )

    def metadata(self) -> dict[str, str]:
        """Author and language, if present, and the corresponding "title_from", "author_from",
        "date_from" and "language_from", each "file".
        """
        own = {"author": one_line(self.author), "language": one_line(self.language)}
        present = {"title": self._title(), "date": parse_date(self.date), **own}
        origins = {f"{name}_from": "file" for name, value in present.items() if value}
        return {name: value for name, value in own.items() if value} | origins

    def _title(self) -> str:
        title = one_line(self.title)
        return "" if title.lower() in _NO_TITLES else title
