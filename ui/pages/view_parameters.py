"""The view of a document, and its address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from rag import MAX_FILTER_LENGTH, MAX_QUESTION_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ui.pages.highlights import Range

MOST_OTHERS = 50
"""Maximum number of further hits in an address."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The view of a document on the reading page.

    ``passage``, ``answer`` and ``others`` (further hits in the same document) are ranges of its
    text; they are clamped to it, and empty ranges are ignored. ``question`` is the query to return
    to, ``find`` are words to search for, and ``pane`` says whether the page is shown beside the
    hits. ``page`` is the number of the rendered PDF page, None for the text.
    """

    passage: Range | None = None
    answer: Range | None = None
    others: tuple[Range, ...] = ()
    question: str = ""
    find: str = ""
    pane: bool = False
    page: int | None = None

    def address(self, document_id: str) -> str:
        """The address, relative to the search page."""
        fields = [(name, value) for name, value in self.fields() if value]
        query = f"?{urlencode(fields)}" if fields else ""
        return f"documents/{quote(document_id, safe='')}{query}"

    def fields(self) -> list[tuple[str, str]]:
        """The query parameters."""
        return [
            ("passage", _written(self.passage)),
            ("answer", _written(self.answer)),
            ("others", ",".join(map(_written, self.others))),
            ("q", self.question),
            ("find", self.find),
            ("pane", "1" if self.pane else ""),
            ("page", "" if self.page is None else str(self.page)),
        ]

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Sight:
        """Parse an address; invalid or overlong values are ignored."""
        others = query.get("others", "").split(",")[:MOST_OTHERS]
        page = query.get("page", "")
        return cls(
            passage=_read(query.get("passage", "")),
            answer=_read(query.get("answer", "")),
            others=tuple(filter(None, map(_read, others))),
            question=_up_to(MAX_QUESTION_LENGTH, query.get("q", "")),
            find=_up_to(MAX_FILTER_LENGTH, query.get("find", "")),
            pane=query.get("pane") == "1",
            page=int(page) if re.fullmatch(r"[0-9]{1,9}", page) else None,
        )


NOTHING = Sight()
"""The whole document, from the beginning."""


def _written(one: Range | None) -> str:
    return f"{one[0]}-{one[1]}" if one else ""


def _up_to(length: int, text: str) -> str:
    return text if len(text) <= length else ""


def _read(text: str) -> Range | None:
    found = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", text)
    if not found:
        return None
    start, end = map(int, found.groups())
    return (start, end) if start < end else None
