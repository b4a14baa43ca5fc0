"""Queries: ``/search``, ``/ask`` and ``/find``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, computed_field, with_config

import rag
from rag import Library
from ui.api.schemas import RESPONSE, Filters, Offset, Question, Shape, extend
from ui.ops import logs
from ui.pages.reader import View

MOST_HITS = 100
DOCUMENTS_LISTED = 100
"""Maximum number of documents with a match count of their own."""


@with_config(RESPONSE)
@dataclass(frozen=True, slots=True)
class Hit(rag.Hit):
    """A passage retrieved for a question, and where it is shown."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def link(self) -> str:
        """Path on this server of the reading page, with the passage highlighted in its document."""
        view = View((self.start, self.end), (self.answer.start, self.answer.end))
        return f"/{view.address(self.document_id)}#answer"


class Hits(Shape):
    """The passages that best answer a question, best first."""

    hits: tuple[Hit, ...]


@with_config(RESPONSE)
@dataclass(frozen=True, slots=True)
class Answer(rag.Answer):
    """Passages, and whether the library answers the question at all."""

    hits: tuple[Hit, ...]


@with_config(RESPONSE)
@dataclass(frozen=True, slots=True)
class Found(rag.Found):
    """All matching passages, a page at a time; ``documents`` are the first hundred."""

    document_count: int = 0
    """Number of documents with a match."""


class Asked(Filters):
    """A question with filters."""

    q: Question
    """The question in plain words. “Quoted words” must occur verbatim, ``-excluded`` ones must not
    occur, ``+words`` are exempt from spelling correction, and ``title:value`` is a filter.
    """
    k: Annotated[int, Field(ge=1, le=MOST_HITS)] = 5
    """Number of passages."""


class Looked(Filters):
    """Words to find, with filters and paging."""

    q: Question
    """Words that must all occur in a passage, in any inflection."""
    offset: Offset = 0
    """Passages to skip."""
    limit: Annotated[int, Field(ge=1, le=MOST_HITS)] = 20
    """Page size."""


def routes(library: Library) -> APIRouter:
    """Create the query routes."""
    router = APIRouter(tags=["questions"])

    @router.get("/search")
    def search(asked: Annotated[Asked, Query()]) -> Hits:
        """Retrieve the passages that best answer a question, best first."""
        with logs.search("search", asked.q):
            hits = library.search(asked.q, asked.k, asked.filter)
        return Hits(hits=tuple(extend(Hit, hit) for hit in hits))

    @router.get("/ask")
    def ask(asked: Annotated[Asked, Query()]) -> Answer:
        """Search, and estimate how probable it is that the library answers the question."""
        with logs.search("ask", asked.q):
            answer = library.ask(asked.q, asked.k, asked.filter)
        return extend(Answer, answer, hits=tuple(extend(Hit, hit) for hit in answer.hits))

    @router.get("/find")
    def find(looked: Annotated[Looked, Query()]) -> Found:
        """List every passage that contains all the words, a page at a time."""
        with logs.search("find", looked.q):
            found = library.find(looked.q, looked.filter, offset=looked.offset, limit=looked.limit)
        listed, number = found.documents[:DOCUMENTS_LISTED], len(found.documents)
        return extend(Found, found, documents=listed, document_count=number)

    return router
