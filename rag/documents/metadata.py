"""What files say of themselves, apart from their content: title, author, date, language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from rag.documents.dates import parse_date
from rag.documents.loaded import Block, Loaded, first_title, in_parts, put_together
from rag.documents.whitespace import one_line

_NO_TITLES = frozenset(
    {
        *("untitled", "powerpoint presentation", "powerpoint-präsentation"),
        *("présentation powerpoint", "presentación de powerpoint", "powerpoint-presentatie"),
        *("presentazione standard di powerpoint", "apresentação do powerpoint"),
        *("презентация powerpoint", "powerpoint 演示文稿", "powerpoint プレゼンテーション"),
    }
)
"""What programs write where nobody gave a title."""


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself, as it is written there; empty where it says nothing."""

    title: str = ""
    author: str = ""
    date: str = ""
    language: str = ""

    def loaded(self, blocks: Iterable[Block], warnings: tuple[str, ...] = ()) -> Loaded:
        """The blocks as a text, with what the file says of itself."""
        text, headings = put_together(blocks)
        return self.added_to(Loaded(text=text, headings=headings, warnings=warnings))

    def in_parts(
        self, blocks: Iterable[Block], warnings: Callable[[], tuple[str, ...]] = tuple
    ) -> Iterator[Loaded]:
        """The same in parts; ``warnings`` is asked after each for those that came up in it."""
        for text, headings in in_parts(blocks):
            yield self.added_to(Loaded(text=text, headings=headings, warnings=warnings()))

    def added_to(self, loaded: Loaded) -> Loaded:
        """The same with title, date and metadata; a heading stands in for a missing title."""
        return replace(
            loaded,
            title=self._title() or first_title(loaded.text, loaded.headings),
            date=parse_date(self.date),
            metadata={**loaded.metadata, **self.metadata()},
        )

    def metadata(self) -> dict[str, str]:
        """What there is of author and language, and of "title_from", "author_from", "date_from"
        and "language_from", which are "file" for what the file says of itself.
        """
        kept = {"author": one_line(self.author), "language": one_line(self.language)}
        said = {"title": self._title(), "date": parse_date(self.date), **kept}
        origins = {f"{name}_from": "file" for name, value in said.items() if value}
        return {name: value for name, value in kept.items() if value} | origins

    def _title(self) -> str:
        title = one_line(self.title)
        return "" if title.lower() in _NO_TITLES else title
