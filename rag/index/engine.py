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
from rag.index.records import Counts, FileRecord, Order, Source, StoredPassage, StoredTokens
from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.text.analyzers import Analysis
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

    def filtered(self, conditions: Sequence[Filter], clauses: Clauses) -> Searcher:
        """The same snapshot, limited before ranking to passages that meet all filters and
        clauses.
        """

    @property
    def analysis(self) -> Analysis:
        """The analyzers for the languages of the library's texts."""

    def nearest(self, question: Vector, sentences: int, passages: int) -> Keys:
        """Unique passages of the nearest ``sentences`` sentences, best first: at most ``passages``,
        or twice as many if the search is approximate, for the caller to rescore.
        """

    def lexical(
        self, question: str, passages: int, among: Sequence[int] | None = None
    ) -> tuple[Keys, Scores]:
        """Lexical search: at most ``passages`` passages that share a word with the question, best
        first, with BM25 as a share of its upper bound for the question, in [0, 1].

        ``among`` limits it to these keys, instead of the searcher's own limits.
        """

    def matching(self, words: str) -> Keys:
        """Keys of every passage that has all of the words in some form, ascending."""

    def sentences(self, keys: Sequence[int]) -> tuple[Keys, NDArray[np.int64], Vectors]:
        """Keys, number of sentences per passage, and all of their vectors, concatenated; deleted
        passages are left out.
        """

    def languages(self, keys: Sequence[int]) -> dict[int, str | None]:
        """Language of each passage's document by key, None if unknown; deleted passages are left
        out.
        """

    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by key; deleted passages are left out."""

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; deleted ones are left out."""

    def count_by_document(self, keys: Sequence[int]) -> tuple[DocumentCount, ...]:
        """Number of these passages per document, in the order of their keys."""

    def piece_frequencies(self, pieces: Pieces) -> tuple[NDArray[np.int64], int]:
        """Document frequency of each word piece, counted in passages, and the number of passages; 0
        for a piece never seen.
        """

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """Spelling corrections of query words that occur in no passage and no title."""

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """IDF-weighted share of the query words that each text has in some form, in [0, 1]."""


class Reader(Protocol):
    """The current contents of a library, by document."""

    @property
    def generation(self) -> int:
        """Increases with every change."""

    def counts(self) -> Counts:
        """How much there is."""

    def has_document(self, document_id: str) -> bool:
        """Whether there is a document with that id."""

    def document(self, document_id: str) -> Document | None:
        """The document with that id, or None."""

    def passages_of(self, document_id: str) -> list[Passage]:
        """The passages of a document, in text order."""

    def passage(self, passage_id: str) -> StoredPassage | None:
        """The passage with that id, or None."""

    def encodings(self, passages: Sequence[Passage]) -> dict[int, PassageEncoding]:
        """Stored encodings of identical passages (same text and sentence boundaries), by position;
        those never encoded are left out.
        """

    def sources(self, files: Iterable[str] | None = None) -> list[Source]:
        """All sources, or those in these files."""

    def files(
        self, paths: Iterable[str] | None = None, *, digests: Iterable[str] | None = None
    ) -> dict[str, FileRecord]:
        """Records of all files read, or of those with one of these paths or content digests, by
        path and in its order.
        """

    def file_reports(
        self, status: str | None = None, offset: int = 0, limit: int | None = None
    ) -> list[FileReport]:
        """Reports on all files read, or those with a status, by path; a page of them."""

    def count_files(self, status: str | None = None) -> int:
        """Number of files read, or of those with a status."""

    def unread(self) -> tuple[list[Failure], list[Failure]]:
        """What could not be read, and what was read with doubts (warnings), by path."""


class Catalogue(Protocol):
    """Browsing a library."""

    def count(self, conditions: Filter) -> int:
        """Number of documents that meet all conditions."""

    def documents(
        self, conditions: Filter, order: Order, offset: int, limit: int | None
    ) -> list[DocumentSummary]:
        """One page of the documents that meet all conditions; all from ``offset`` on if no
        limit.
        """

    def dates(self) -> Dates:
        """Number of documents by month, and without a date of their own."""

    def facets(self) -> Facets:
        """Number of documents by facet; a document with several sources counts by its first."""

    def sample(self, count: int) -> list[StoredPassage]:
        """Up to ``count`` passages from all over the library, those with the lowest hashes as
        ids.
        """

    def sources(self, document_id: str) -> list[Source]:
        """All sources of a document, by path; empty if there is no such document."""


class Notes(Protocol):
    """A library's key-value metadata; no index depends on it."""

    def note(self, name: str) -> str | None:
        """The value of a key, or None."""

    def keep(self, name: str, value: str | None) -> None:
        """Store a value under a key; None deletes it. Raises LibraryError if it can't write."""


class Ratings(Protocol):
    """Readers' ratings of hits."""

    def put(self, rating: Rating) -> None:
        """Store a rating, replacing an earlier one of this passage for this question."""

    def remove(self, rating: Rating) -> None:
        """Delete the rating of this passage for this question, if any."""

    def __len__(self) -> int:
        """Number of ratings."""

    def all(self, question: str | None = None) -> list[Rating]:
        """All ratings, or those for one question, oldest first."""


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

    def add_sources(self, sources: Sequence[Source]) -> None:
        """Record that sources have stored documents, before any other document is dropped."""

    def record_files(self, records: Sequence[tuple[FileRecord, Sequence[str]]]) -> list[str]:
        """Record files as read, with their current sources; deletes and returns their other
        sources.
        """

    def remove(self, paths: Sequence[str], files: Sequence[str]) -> None:
        """Delete sources and files, and documents that no other source has."""

    def flush(self) -> None:
        """Commit what the engine has buffered, if it buffers."""


class Engine(Protocol):
    """One library, wherever it is stored. Thread-safe."""

    @property
    def location(self) -> str | Path:
        """Its folder, or its URL."""

    @property
    def reader(self) -> Reader:
        """Access to its contents."""

    @property
    def catalogue(self) -> Catalogue:
        """Access to its contents for browsing."""

    @property
    def notes(self) -> Notes:
        """Its key-value metadata."""

    @property
    def ratings(self) -> Ratings:
        """Its ratings."""

    @property
    def writer(self) -> Writer:
        """Writes to it; use only within :meth:`writing`."""

    def writing(self, beat: Beat = no_heartbeat) -> AbstractContextManager[None]:
        """Context manager for writing. What was written is searchable when it exits, even after an
        error or Ctrl-C. ``beat`` is called while waiting for the lock, and while indexing.

        If only one may write at a time, LibraryBusy is raised if another one keeps writing.
        """

    def has_model(self, fingerprint: str) -> bool:
        """Whether the library is still encoded by the model with this fingerprint: another process
        may have re-encoded it.
        """

    def searcher(self) -> Searcher:
        """A snapshot of the current library, for searches."""

    def size(self) -> int:
        """Size in bytes."""

    @property
    def recall(self) -> float | None:
        """Recall of the approximate vector index; None if it is exact, or if unknown."""

    def verify(self, embedder: Embedder, on_progress: OnProgress, *, repair: bool) -> Verification:
        """Check the integrity of the library; with ``repair`` rebuild what can be rebuilt."""

    def close(self) -> None:
        """Release files and connections."""
