"""Questions: ``/search``, ``/ask`` and ``/find``."""

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
"""How many documents a list of matches counts one by one."""


class Quote(Shape):
    """A stretch of a document's text, word for word; offsets are characters, the end excluded."""

    text: str
    start: int
    end: int


class Respelling(Shape):
    """A word that no document has, and the one that was looked for in its place."""

    asked: str
    found: str


class Why(Shape):
    """Where a hit's score comes from; each part lies in [0, 1]."""

    meaning: float
    """The best cosine of a sentence with the question."""
    words: float
    """BM25, as a share of the best there is for this question."""
    tokens: float
    """Late interaction, word by word."""
    meaning_rank: int | None
    words_rank: int | None
    matched: tuple[str, ...]
    """The words of the passage that the question's words found."""
    instead: tuple[Respelling, ...]


class Place(Shape):
    """A passage and where it stands; offsets are characters of its document's text."""

    text: str
    title: str
    source: Source
    """The name of the file."""
    date: dt.date | None
    date_from: str | None
    """``document``, ``file`` or ``file time``: where the date is from."""
    page: int | None
    page_label: str | None
    """The number that is printed on the page."""
    headings: tuple[str, ...]
    """The headings above it, outermost first."""
    document_id: str
    passage_id: str
    start: int
    end: int
    also_in: tuple[Source, ...]
    """Other files with the same passage."""


class Hit(Place):
    """A passage that was found for a question."""

    rank: int
    score: float
    """In [0, 1]. It orders the hits of one question, and is no probability."""
    answer: Quote
    """The sentence that answers best."""
    why: Why

    @computed_field  # type: ignore[prop-decorator]
    @property
    def link(self) -> str:
        """Where a person reads it on this server, marked in its document."""
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
    """Passages, and whether the question is answered in the library at all."""

    answered: bool
    """Whether that is more likely than not; otherwise the hits are only the nearest passages."""
    confidence: float
    """The probability of it, in [0, 1]."""
    measured: bool
    """Whether the probability was measured on this library, or is that of libraries in general."""
    reading: tuple[str, ...]
    """How the question was read: a line for each thing that may surprise."""
    alternative: str | None
    """Another question worth offering: the same without corrections, or with one."""
    conditions_met: bool
    """Whether any passage meets the conditions, if there are some."""


class Match(Place):
    """A passage that has all that was looked for."""

    matched: tuple[Quote, ...]
    """The places in it where that stands."""


class DocumentCount(Shape):
    """How many passages of a document match."""

    document_id: str
    title: str
    source: Source
    passages: int


class Found(Shape):
    """Every passage that matches, a page of them at a time."""

    passages: int
    """How many there are."""
    document_count: int
    """In how many documents."""
    documents: tuple[DocumentCount, ...]
    """The first hundred of those."""
    offset: int
    matches: tuple[Match, ...]
    """This page, in the order of documents and of places in them."""
    instead: tuple[Respelling, ...]
    reading: tuple[str, ...]
    """How the words were read: a line for each thing that may surprise."""
    alternative: str | None
    """Another question worth offering: the same without corrections, or with one."""


class Asked(Filters):
    """A question with its conditions."""

    q: Question
    """The question in plain words. “Quoted words” must stand in a passage as they are,
    ``-excluded`` ones must not, ``+words`` are spelled as they are meant, and ``title:value`` is a
    condition."""
    k: Annotated[int, Field(ge=1, le=MOST_HITS)] = 5
    """How many passages."""


class Looked(Filters):
    """Words to find, with conditions, and a page."""

    q: Question
    """Words, all of which must stand in a passage, in this form or another."""
    offset: Offset = 0
    """How many passages come before the page."""
    limit: Annotated[int, Field(ge=1, le=MOST_HITS)] = 20
    """How many passages it has at most."""


def routes(library: Library) -> APIRouter:
    """What can be asked of a library."""
    router = APIRouter(tags=["questions"])

    @router.get("/search")
    def search(asked: Annotated[Asked, Query()]) -> Hits:
        """Find the passages that best answer a question, best first."""
        with search_log.logged("search", asked.q):
            found = library.search(asked.q, asked.k, **asked.conditions)
        return Hits(hits=tuple(Hit.model_validate(hit) for hit in found))

    @router.get("/ask")
    def ask(asked: Annotated[Asked, Query()]) -> Answer:
        """Search, and say how probable it is that the question is answered here."""
        with search_log.logged("ask", asked.q):
            return Answer.model_validate(library.ask(asked.q, asked.k, **asked.conditions))

    @router.get("/find")
    def find(looked: Annotated[Looked, Query()]) -> Found:
        """List every passage that has all of the words, a page at a time."""
        with search_log.logged("find", looked.q):
            found = library.find(
                looked.q, offset=looked.offset, limit=looked.limit, **looked.conditions
            )
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
