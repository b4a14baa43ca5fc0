"""Search filters, as in the page's form and address."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from starlette.datastructures import QueryParams

from rag import Answer, Filter, InputError, Library
from ui.ops import logs


@dataclass(frozen=True, slots=True)
class FilterForm:
    """Filter values as typed or selected; an empty one means no filter.

    ``since`` and ``until`` are inclusive dates like 2025-03-05. ``source`` is a substring of a
    file's path, or a pattern with ``*``; ``type`` is the file extension, and ``language`` a code.
    ``collections`` are names; a document in any of them matches.
    """

    since: str = ""
    until: str = ""
    source: str = ""
    type: str = ""
    language: str = ""
    collections: tuple[str, ...] = ()

    @classmethod
    def of(cls, query: QueryParams) -> FilterForm:
        """Parse an address."""
        names = ("since", "until", "source", "type", "language")
        texts = {name: query.get(name, "").strip() for name in names}
        return cls(**texts, collections=tuple(query.getlist("in")))

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def ask(self, library: Library, question: str) -> Answer:
        """Ask the library, restricted to the documents that match.

        Raises
        ------
        InputError
            If a date is invalid.
        """
        with logs.search("page", question):
            limits = Filter(
                _day(self.since),
                _day(self.until),
                self._pattern() or None,
                language=self.language or None,
                collections=self.collections,
            )
            return library.ask(question, filter=limits)

    def _pattern(self) -> str:
        """Combine source and type into one glob pattern."""
        source = self.source
        if source and "*" not in source:
            source = f"*{source}*"
        if not self.type or source.lower().endswith(self.type):
            return source
        return f"{source.rstrip('*')}*{self.type}"


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"“{text}” is not a date; write it like 2025-03-05") from error
