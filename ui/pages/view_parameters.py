"""What of a document is looked at, and its address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from rag import MAX_FILTER_LENGTH, MAX_QUESTION_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ui.pages.markup import Range

MOST_OTHERS = 50
"""Further hits that an address names."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What of a document is looked at.

    ``passage``, ``answer`` and ``others`` (further hits in the same document) are ranges of its
    text; what lies outside is clamped, and an empty range is ignored. ``question`` is where the
    way back leads, ``find`` words to look for, and ``pane`` whether it is read beside the hits.
    ``page`` is the page of a PDF that is shown as it is printed, None for the text.
    """

    passage: Range | None = None
    answer: Range | None = None
    others: tuple[Range, ...] = ()
    question: str = ""
    find: str = ""
    pane: bool = False
    page: int | None = None

    def address(self, document_id: str) -> str:
        """Where it is seen, relative to the page where questions are asked."""
        fields = [(name, value) for name, value in self.fields() if value]
        query = f"?{urlencode(fields)}" if fields else ""
        return f"documents/{quote(document_id, safe='')}{query}"

    def fields(self) -> list[tuple[str, str]]:
        """Its parts, as in an address."""
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
        """That of an address; what is no range or no number there, or is longer than anything
        that could be asked, is as good as none.
        """
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
"""The whole document, from its beginning."""


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
