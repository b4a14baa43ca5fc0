"""Queries: ``/search``, ``/ask`` and ``/find``."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from pydantic import Field, computed_field

from rag import Library
from ui.api.schemas import Filters, Offset, Question, Shape, Source
from ui.ops import search_log

MOST_HITS = 100
DOCUMENTS_LISTED = 100
"""Maximum number of documents with a match count of their own."""


class Quote(Shape):
    """A verbatim quotation; offsets are characters of the document's text, the end exclusive."""

    text: str
    start: int
    end: int


class Respelling(Shape):
    """A query word that occurs in no document, and its spelling correction."""

    asked: str
    found: str


class Why(Shape):
    """How a hit was scored; each component lies in [0, 1]."""

    meaning: float
    """Dense score: the highest cosine similarity of a sentence to the question."""
    words: float
    """Lexical score: BM25, relative to the maximum for this question."""
    tokens: float
    """Late interaction score (MaxSim over tokens)."""
    meaning_rank: int | None
    words_rank: int | None
    matched: tuple[str, ...]
    """Words of the passage that match words of the question."""
    instead: tuple[Respelling, ...]


class Place(Shape):
    """A passage and its location; offsets are characters of its document's text."""

    text: str
    title: str
    source: Source
    """The file's name."""
    date: dt.date | None
    date_from: str | None
    """Where the date comes from: ``document``, ``file`` or ``file time``."""
    page: int | None
    page_label: str | None
    """The printed page number."""
    headings: tuple[str, ...]
    """The headings above it, outermost first."""
    document_id: str
    passage_id: str
    start: int
    end: int
    also_in: tuple[Source, ...]
    """Other files with the same passage."""


class Hit(Place):
    """A passage retrieved for a question."""

    rank: int
    score: float
    """In [0, 1]. Ranks the hits of one question; it is not a probability."""
    answer: Quote
    """The sentence that answers best."""
    why: Why

    @computed_field  # type: ignore[prop-decorator]
    @property
    def link(self) -> str:
        """Path on this server of the reading page, with the passage highlighted in its document."""
        marked = {
            "start": self.start,
            "end": self.end,
            "answer_start": self.answer.start,
            "answer_end": self.answer.end,
        }
        return f"/documents/{quote(self.document_id, safe='')}?{urlencode(marked)}#answer"


class Hits(Shape):
    """The passages that best answer a question, best first."""

    hits: tuple[Hit, ...]


class Answer(Hits):
    """Passages, and whether the library answers the question at all."""

    answered: bool
    """Whether an answer is more likely than not; otherwise the hits are merely the nearest
    passages.
    """
    confidence: float
    """The probability of an answer, in [0, 1]."""
    measured: bool
    """Whether the probability was calibrated on this library; otherwise on libraries in general."""
    reading: tuple[str, ...]
    """How the question was interpreted: one line for anything that may be unexpected."""
    alternative: str | None
    """A suggested question: the same without corrections, or with one."""
    conditions_met: bool
    """Whether any passage matches the filters, if there are any."""


class Match(Place):
    """A passage that contains all the words."""

    matched: tuple[Quote, ...]
    """Where in the passage they match."""


class DocumentCount(Shape):
    """The number of matching passages in a document."""

    document_id: str
    title: str
    source: Source
    passages: int


class Found(Shape):
    """All matching passages, a page at a time."""

    passages: int
    """Total number of matching passages."""
    document_count: int
    """Number of documents with a match."""
    documents: tuple[DocumentCount, ...]
    """The first hundred of them."""
    offset: int
    matches: tuple[Match, ...]
    """The matches on this page, in document order and then by position."""
    instead: tuple[Respelling, ...]
    reading: tuple[str, ...]
    """How the words were interpreted: one line for anything that may be unexpected."""
    alternative: str | None
    """A suggested query: the same without corrections, or with one."""


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
        with search_log.log_search("search", asked.q):
            found = library.search(asked.q, asked.k, asked.filter)
        return Hits(hits=tuple(Hit.model_validate(hit) for hit in found))

    @router.get("/ask")
    def ask(asked: Annotated[Asked, Query()]) -> Answer:
        """Search, and estimate how probable it is that the library answers the question."""
        with search_log.log_search("ask", asked.q):
            return Answer.model_validate(library.ask(asked.q, asked.k, asked.filter))

    @router.get("/find")
    def find(looked: Annotated[Looked, Query()]) -> Found:
        """List every passage that contains all the words, a page at a time."""
        with search_log.log_search("find", looked.q):
            found = library.find(looked.q, looked.filter, offset=looked.offset, limit=looked.limit)
        listed = found.documents[:DOCUMENTS_LISTED]
        return Found(
            passages=found.passages,
            document_count=len(found.documents),
            documents=tuple(DocumentCount.model_validate(one) for one in listed),
            offset=found.offset,
            matches=tuple(Match.model_validate(one) for one in found.matches),
            instead=tuple(Respelling.model_validate(one) for one in found.instead),
            reading=found.reading,
            alternative=found.alternative,
        )

    return router
