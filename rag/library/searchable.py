"""The read-only half of a library: searches, and access to documents and passages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from rag.confidence import reliability
from rag.confidence.answerability import Calibrations
from rag.confidence.calibration import Calibration
from rag.confidence.reliability import Reliability
from rag.errors import DocumentNotFound, InputError
from rag.index.engine import Engine
from rag.index.records import Order, Source
from rag.library.collections import Collections
from rag.models import query_cache
from rag.models.cross_encoder import Reranker
from rag.search import citations, neighbours, phrases, pipeline
from rag.search.citations import Citation, Followed
from rag.search.neighbours import Neighbour
from rag.text import query_parser
from rag.types import Answer, Document, DocumentSummary, Found, Hit, Passage
from rag.types.arrays import Scores
from rag.types.filters import Filter
from rag.types.parts import all_part_ids, whole_source
from rag.types.protocols import Embedder, QuestionEncoder
from rag.types.reports import Collection, Dates, Facets, FileReport


class Searchable:
    """The read-only half of a library; :class:`rag.Library` is the whole."""

    def __init__(
        self,
        engine: Engine,
        embedder: Embedder,
        reranker: Reranker | None,
    ) -> None:
        self._engine = engine
        self._embedder = embedder
        self._reader = engine.reader
        self._catalogue = engine.catalogue
        self._reranker = reranker
        self._collections = Collections(engine)
        self._calibrations = Calibrations(engine, self._first_scores)

    @property
    def embedder(self) -> Embedder:
        """Its model."""
        return self._embedder

    def search(
        self,
        question: str,
        k: int = 5,
        *,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        title: str | None = None,
        language: str | None = None,
        where: Mapping[str, str] | None = None,
        collections: Sequence[str] = (),
    ) -> list[Hit]:
        """Find the ``k`` passages that best answer a question, best first.

        Parameters
        ----------
        question
            Plain words; ``"exact phrases"``, ``-excluded`` words and ``title:value`` are filters,
            see :mod:`rag.text.query_parser`.
        k
            How many hits, at least 1.
        since, until
            Only documents with a date in this range, inclusive.
        source
            … with a path that matches, or ends in, this pattern: ``*.pdf``, ``letters/*``.
        title
            … with these words in their title.
        language
            … in this language, such as ``en``.
        where
            … with these metadata values.
        collections
            … in one of these collections; empty means all documents.

        Raises
        ------
        EmptyQuestion
            If the question has no letter or digit.
        InputError
            If the question has more than :data:`rag.MAX_QUESTION_LENGTH` characters, a filter more
            than :data:`rag.MAX_FILTER_LENGTH`, or ``k`` is below 1.
        """
        query_parser.check_length(question)
        folders = self._collections.folders(collections)
        conditions = Filter(since, until, source, title, language, where or {}, folders)
        return self._found(question, k, conditions, self._reranker).hits

    def ask(
        self,
        question: str,
        k: int = 5,
        *,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        title: str | None = None,
        language: str | None = None,
        where: Mapping[str, str] | None = None,
        collections: Sequence[str] = (),
    ) -> Answer:
        """Search, and estimate the probability that the library answers the question.

        See :mod:`rag.confidence.calibration` for the method. A library without a
        calibration gets one at the first question, which takes seconds.

        Parameters and errors are those of :meth:`search`.
        """
        query_parser.check_length(question)
        folders = self._collections.folders(collections)
        conditions = Filter(since, until, source, title, language, where or {}, folders)
        found = self._found(question, k, conditions, self._reranker)
        own = self._found(question, 1, conditions, None).hits if self._reranker else []
        score = own[0].score if own else None
        answer = self._calibrations.answer(question, found.hits, score)
        return replace(answer, alternative=found.alternative, conditions_met=found.conditions_met)

    def find(
        self,
        query: str,
        *,
        offset: int = 0,
        limit: int = 20,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        title: str | None = None,
        language: str | None = None,
        where: Mapping[str, str] | None = None,
        collections: Sequence[str] = (),
    ) -> Found:
        """List every passage that contains all of the words, with counts, page by page.

        Parameters
        ----------
        query
            Words, all of which a passage must contain in some inflected form, and the filters that
            :meth:`search` takes. Stop words are ignored except in quotes.
        offset
            How many passages to skip.
        limit
            How many passages to return at most, at least 1.
        since, until, source, title, language, where, collections
            As in :meth:`search`.

        Raises
        ------
        EmptyQuestion
            If there is nothing to search for.
        InputError
            If the query or a filter is too long, as in :meth:`search`; if ``offset`` is below 0 or
            ``limit`` below 1.
        """
        folders = self._collections.folders(collections)
        return phrases.find(
            query,
            Filter(since, until, source, title, language, where or {}, folders),
            offset,
            limit,
            encoder=self._embedder,
            library=self._engine.searcher(),
        )

    def report(self) -> list[FileReport]:
        """The outcome for every file that was read, by path."""
        return self._reader.file_reports()

    def document(self, document_id: str) -> Document:
        """The document with that id.

        Raises
        ------
        DocumentNotFound
            If there is none.
        """
        document = self._reader.document(document_id)
        if document is None:
            raise DocumentNotFound(f"there is no document {document_id} in this library")
        return document

    def parts(self, document: Document) -> tuple[str, ...]:
        """The ids of all parts of a document, in order, including its own; just one for most."""
        return all_part_ids(document, self._reader.has_document)

    def documents(
        self,
        limit: int | None = None,
        *,
        offset: int = 0,
        order: Order = "newest",
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        title: str | None = None,
        language: str | None = None,
        where: Mapping[str, str] | None = None,
        collections: Sequence[str] = (),
    ) -> list[DocumentSummary]:
        """List the documents, by default newest first, all of them or one page.

        Parameters
        ----------
        limit, offset
            How many to return at most, and how many to skip.
        order
            ``newest`` or ``oldest`` by date, with those last that have only their file's
            modification time; ``title``, ``source``, ``language``; or ``pages`` or ``passages``,
            most first.
        since, until, source, title, language, where, collections
            As in :meth:`search`.

        Raises
        ------
        InputError
            If ``limit`` is below 1 or ``offset`` below 0.
        """
        if offset < 0 or (limit is not None and limit < 1):
            raise InputError(
                f"a page begins at 0 or later and has 1 document or more, not {offset} and {limit}"
            )
        folders = self._collections.folders(collections)
        conditions = Filter(since, until, source, title, language, where or {}, folders)
        return self._catalogue.documents(conditions, order, offset, limit)

    def count_documents(
        self,
        *,
        since: dt.date | None = None,
        until: dt.date | None = None,
        source: str | None = None,
        title: str | None = None,
        language: str | None = None,
        where: Mapping[str, str] | None = None,
        collections: Sequence[str] = (),
    ) -> int:
        """Number of documents that meet the filters, which are those of :meth:`search`."""
        folders = self._collections.folders(collections)
        conditions = Filter(since, until, source, title, language, where or {}, folders)
        return self._catalogue.count(conditions)

    def collections(self) -> tuple[Collection, ...]:
        """The collections, by name, with the number of documents in each."""
        return self._collections.all()

    def facets(self) -> Facets:
        """Number of documents by language and type, and the range of their dates."""
        return self._catalogue.facets()

    def dates(self) -> Dates:
        """Number of documents by month."""
        return self._catalogue.dates()

    def sources(self, document_id: str) -> list[str]:
        """Every source of a document, in order.

        Raises
        ------
        DocumentNotFound
            If there is no such document.
        """
        return [whole_source(one.path) for one in self._sources(document_id)]

    def files(self, document_id: str) -> list[Path]:
        """The files that contain a document, in order: its own, or the archives that hold it.

        Raises
        ------
        DocumentNotFound
            If there is no such document.
        """
        return [Path(file) for file in sorted({one.file for one in self._sources(document_id)})]

    def _sources(self, document_id: str) -> list[Source]:
        found = self._catalogue.sources(document_id)
        if not found:
            raise DocumentNotFound(f"there is no document {document_id} in this library")
        return found

    def passage(self, passage_id: str) -> Passage:
        """The passage with that id.

        Raises
        ------
        DocumentNotFound
            If no document has it, or no longer.
        """
        found = self._passage(self._catalogue.key(passage_id))
        if found is None:
            raise DocumentNotFound(f"there is no passage {passage_id} in this library")
        return found

    def around(self, passage: Passage) -> tuple[Passage | None, Passage | None]:
        """The previous and next passage in the document; None at its beginning or end."""
        before, after = self._catalogue.around(passage.id)
        return self._passage(before), self._passage(after)

    def neighbours(self, passage_id: str, k: int = 10) -> tuple[Neighbour, ...]:
        """More like this: the ``k`` passages most similar to one, best first.

        Raises
        ------
        DocumentNotFound
            If there is no passage with that id.
        InputError
            If ``k`` is below 1.
        """
        if k < 1:
            raise InputError(f"the number of passages must be at least 1, not {k}")
        key = self._catalogue.key(passage_id)
        if key is None:
            raise DocumentNotFound(f"there is no passage {passage_id} in this library")
        return neighbours.neighbours(key, k, library=self._engine.searcher())

    def calibration(self) -> Calibration | None:
        """The curve from scores to probabilities that :meth:`ask` uses; None before calibration."""
        return self._calibrations.kept()

    def reliability(self) -> Reliability | None:
        """How well calibrated the confidence is; None if too little was measured to tell."""
        found = self.calibration()
        return reliability.reliability(found) if found else None

    def follow(self, citation: Citation) -> Followed:
        """Resolve a permalink to a sentence, even if its document has changed.

        :func:`rag.search.citations.cited` makes citations.
        """
        return citations.follow(citation, self._reader.document, self.search)

    def _passage(self, key: int | None) -> Passage | None:
        stored = None if key is None else self._reader.passages([key]).get(key)
        return stored.passage if stored else None

    def _found(
        self,
        question: str,
        k: int,
        conditions: Filter,
        reranker: Reranker | None,
        encoder: QuestionEncoder | None = None,
    ) -> pipeline.Found:
        return pipeline.search(
            question,
            k,
            conditions,
            embedder=encoder or self._embedder,
            library=self._engine.searcher(),
            reranker=reranker,
        )

    def _first_scores(self, questions: Sequence[str]) -> Scores:
        """Score of the top hit for each question, without the cross-encoder."""

        def score(question: str, encoder: QuestionEncoder) -> float:
            hits = self._found(question, 1, Filter(), None, encoder).hits
            return hits[0].score if hits else 0.0

        return np.array(query_cache.for_each_query(questions, self._embedder, score))
