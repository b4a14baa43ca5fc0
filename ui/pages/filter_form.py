"""What a question is limited to, as the page's fields and its address have it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from rag import InputError
from ui import strings
from ui.ops import search_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rag import Answer, Library


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Texts as they were typed or chosen; an empty one is no limit.

    ``since`` and ``until`` are dates like 2025-03-05, both included. ``source`` is part of a
    file's path, or a pattern with ``*``; ``type`` the ending of its name, and ``language`` a code.
    """

    since: str = ""
    until: str = ""
    source: str = ""
    type: str = ""
    language: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Narrowing:
        """That of an address."""
        return cls(*(query.get(field.name, "").strip() for field in fields(cls)))

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def ask(self, library: Library, question: str) -> Answer:
        """The library's answer, from the documents that are left.

        Raises
        ------
        InputError
            If a date is none.
        """
        with search_log.logged("page", question):
            return library.ask(
                question,
                since=_day(self.since),
                until=_day(self.until),
                source=self._pattern() or None,
                language=self.language or None,
            )

    def _pattern(self) -> str:
        """One pattern for both what the path has in it and how it ends."""
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
        raise InputError(strings.NO_DATE_THIS.format(text=text)) from error
