"""The storage engine's interfaces, behind which an engine can be replaced.

The embedded engine (:mod:`rag.index.local_engine`) keeps a library in a folder: SQLite, FAISS,
tantivy. The shared one (:mod:`rag.cluster.lance`) keeps it in object storage: Lance tables. The
layers above (chunking, embedding, fusion, late interaction, calibration and all searches) don't
depend on which engine it is.

A passage has a key, an integer assigned by its engine and valid only there; keys ascend in the
order in which documents were added, then by position in the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.index.integrity import OnProgress
from rag.index.records import FileRecord, Order, Source, StoredPassage, StoredTokens
from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.types import (
    Clauses,
    Document,
    DocumentCount,
    DocumentSummary,
    Failure,
    Passage,
    PassageEncoding,
    Rating,
    Respelling,
    Span,
)
from rag.types.arrays import Keys, Pieces, Scores, Vector, Vectors
from rag.types.filters import Filter
from rag.types.protocols import Embedder
from rag.types.reports import Dates, Facets, FileReport, Verification


class Searcher(Protocol):
    """A snapshot of a library for searches, unaffected by later writes.

    May be used by two threads at once.
    """

    def __len__(self) -> int:
        """Number of passages, regardless of limits."""
        ...

    def filtered(self, conditions: Sequence[Filter], clauses: Clauses) -> Searcher:
        """The same snapshot, limited before ranking to passages that meet all filters and
        clauses.
        """
        ...

    @property
    def exact(self) -> bool:
        """Whether :meth:`nearest` is an exact search."""
        ...

    def nearest(self, question: Vector, sentences: int) -> Keys:
        """Unique passages of the nearest ``sentences`` sentences, best first."""
        ...

    def lexical(self, question: str, passages: int) -> tuple[Keys, Scores]:
        """Lexical search: at most ``passages`` passages with their scores, best first."""
        ...

    def matching(self, words: str) -> Keys:
        """Keys of every passage that has all of the words in some form, ascending."""
        ...

    def word_scores(self, question: str, keys: Sequence[int]) -> Scores:
        """Lexical scores of given passages: BM25 as a share of its upper bound for the question, in
        [0, 1]; 0 for one without a query word.
        """
        ...

    def vectors(self, keys: Sequence[int]) -> dict[int, Vectors]:
        """Sentence vectors by key; deleted passages are left out."""
        ...

    def sentences(self, keys: Sequence[int]) -> tuple[Keys, NDArray[np.int64], Vectors]:
        """The same, concatenated: keys, number of sentences per passage, and all vectors."""
        ...

    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by key; deleted passages are left out."""
        ...

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; deleted ones are left out."""
        ...

    def count_by_document(self, keys: Sequence[int]) -> tuple[DocumentCount, ...]:
        """Number of these passages per document, in the order of their keys."""
        ...

    def piece_frequencies(self, pieces: Pieces) -> tuple[NDArray[np.int64], int]:
        """Document frequency of each word piece, counted in passages, and the number of passages; 0
        for a piece never seen.
        """
        ...

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """Spelling corrections of query words that occur in no passage and no title."""
        ...

    def matched(self, question: str, text: str) -> tuple[str, ...]:
        """The words of ``text``, as written there, that match query words."""
        ...

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """IDF-weighted share of the query words that each text has in some form, in [0, 1]."""
        ...

    def places(self, words: str, phrases: Sequence[str], text: str) -> tuple[Span, ...]:
        """Spans in ``text`` of the words, in some form, and of the exact phrases."""
        ...


class Reader(Protocol):
    """The current contents of a library, by document."""

    @property
    def generation(self) -> int:
        """Increases with every change."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """Numbers of documents, passages and sentences."""
        ...

    def languages(self) -> dict[str, int]:
        """Number of documents by language; ``""`` if unknown."""
        ...

    def has_document(self, document_id: str) -> bool:
        """Whether there is a document with that id."""
        ...

    def document(self, document_id: str) -> Document | None:
        """The document with that id, or None."""
        ...

    def passages_of(self, document_id: str) -> list[Passage]:
        """The passages of a document, in text order."""
        ...

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; deleted ones are left out."""
        ...

    def encodings(self, passages: Sequence[Passage]) -> dict[int, PassageEncoding]:
        """Stored encodings of identical passages (same text and sentence boundaries), by position;
        those never encoded are left out.
        """
        ...

    def sources(self, files: Iterable[str] | None = None) -> list[Source]:
        """All sources, or those in these files."""
        ...

    def files(self, paths: Iterable[str] | None = None) -> dict[str, FileRecord]:
        """Records of all files read, or of those with these paths, by path."""
        ...

    def files_with(self, digests: Iterable[str]) -> list[FileRecord]:
        """Records of the files with one of these content digests, by path."""
        ...

    def files_with_warnings(self) -> frozenset[str]:
        """Files with warnings."""
        ...

    def file_reports(
        self, status: str | None = None, offset: int = 0, limit: int | None = None
    ) -> list[FileReport]:
        """Reports on all files read, or those with a status, by path; a page of them."""
        ...

    def count_files(self, status: str | None = None) -> int:
        """Number of files read, or of those with a status."""
        ...

    def unread(self) -> tuple[list[Failure], list[Failure]]:
        """What could not be read, and what was read with doubts (warnings), by path."""
        ...


class Catalogue(Protocol):
    """Browsing a library."""

    def count(self, conditions: Filter) -> int:
        """Number of documents that meet all conditions."""
        ...

    def documents(
        self, conditions: Filter, order: Order, offset: int, limit: int | None
    ) -> list[DocumentSummary]:
        """One page of the documents that meet all conditions; all from ``offset`` on if no
        limit.
        """
        ...

    def dates(self) -> Dates:
        """Number of documents by month, and without a date of their own."""
        ...

    def facets(self) -> Facets:
        """Number of documents by facet; a document with several sources counts by its first."""
        ...

    def sample(self, count: int) -> list[StoredPassage]:
        """Up to ``count`` passages from all over the library, those with the lowest hashes as
        ids.
        """
        ...

    def sources(self, document_id: str) -> list[Source]:
        """All sources of a document, by path; empty if there is no such document."""
        ...

    def key(self, passage_id: str) -> int | None:
        """The key of the passage with that id, or None."""
        ...

    def around(self, passage_id: str) -> tuple[int | None, int | None]:
        """Keys of the previous and next passage in the document; None at its beginning or end."""
        ...


class Notes(Protocol):
    """A library's key-value metadata; no index depends on it."""

    def note(self, name: str) -> str | None:
        """The value of a key, or None."""
        ...

    def keep(self, name: str, value: str | None) -> None:
        """Store a value under a key; None deletes it.

        Raises
        ------
        LibraryError
            If it can't be written.
        """
        ...


class Ratings(Protocol):
    """Readers' ratings of hits."""

    def put(self, rating: Rating) -> None:
        """Store a rating, replacing an earlier one of this passage for this question."""
        ...

    def remove(self, rating: Rating) -> None:
        """Delete the rating of this passage for this question, if any."""
        ...

    def __len__(self) -> int:
        """Number of ratings."""
        ...

    def all(self, question: str | None = None) -> list[Rating]:
        """All ratings, or those for one question, oldest first."""
        ...


class Writer(Protocol):
    """Writes to a library; every method is idempotent, so that it can be repeated after a crash."""

    def put(
        self,
        document: Document,
        source: Source,
        passages: Sequence[Passage],
        encodings: Iterable[PassageEncoding],
    ) -> None:
        """Store a document, replacing an earlier version of it, and record its source. A document
        that only this source had before is deleted.
        """
        ...

    def add_sources(self, sources: Sequence[Source]) -> None:
        """Record that sources have stored documents, before any other document is dropped."""
        ...

    def record_files(self, records: Sequence[tuple[FileRecord, Sequence[str]]]) -> list[str]:
        """Record files as read, with their current sources; deletes and returns their other
        sources.
        """
        ...

    def remove(self, paths: Sequence[str], files: Sequence[str]) -> None:
        """Delete sources and files, and documents that no other source has."""
        ...

    def flush(self) -> None:
        """Commit what the engine has buffered, if it buffers."""
        ...


class Engine(Protocol):
    """One library, wherever it is stored. Thread-safe."""

    @property
    def location(self) -> str | Path:
        """Its folder, or its URL."""
        ...

    @property
    def reader(self) -> Reader:
        """Access to its contents."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """Access to its contents for browsing."""
        ...

    @property
    def notes(self) -> Notes:
        """Its key-value metadata."""
        ...

    @property
    def ratings(self) -> Ratings:
        """Its ratings."""
        ...

    @property
    def writer(self) -> Writer:
        """Writes to it; use only within :meth:`writing`."""
        ...

    def writing(self, beat: Beat = no_heartbeat) -> AbstractContextManager[None]:
        """Context manager for writing. What was written is searchable when it exits, even after an
        error or Ctrl-C. ``beat`` is called while waiting for the lock, and while indexing.

        If only one may write at a time, LibraryBusy is raised if another one keeps writing.
        """
        ...

    def searcher(self) -> Searcher:
        """A snapshot of the current library, for searches."""
        ...

    def size(self) -> int:
        """Size in bytes."""
        ...

    @property
    def recall(self) -> float | None:
        """Recall of the approximate vector index; None if it is exact, or if unknown."""
        ...

    def verify(self, embedder: Embedder, on_progress: OnProgress, *, repair: bool) -> Verification:
        """Check the integrity of the library; with ``repair`` rebuild what can be rebuilt."""
        ...

    def close(self) -> None:
        """Release files and connections."""
        ...
