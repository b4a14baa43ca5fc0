"""What a library stands on: the seams behind which an engine can be exchanged.

The embedded engine (:mod:`rag.index.local_engine`) keeps a library in a folder: SQLite, FAISS,
tantivy. The shared one (:mod:`rag.cluster.lance`) keeps it in object storage: Lance tables. What is
above (chunking, embedding, fusion, late interaction, calibration, and whatever can be asked) never
learns which engine it stands on.

A passage has a key, an integer that its engine gives it and nobody else can use; keys rise in the
order in which documents came, and with the place in a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.index.sqlite import FileRecord, Order, Source, StoredPassage, StoredTokens
from rag.runtime.heartbeat import Beat, unobserved
from rag.types import (
    Clauses,
    Document,
    DocumentCount,
    DocumentSummary,
    Passage,
    PassageEncoding,
    Rating,
    Respelling,
    Span,
)
from rag.types.arrays import Keys, Pieces, Scores, Vector, Vectors
from rag.types.filters import Filter
from rag.types.protocols import Embedder
from rag.types.reports import Dates, Facets, FileReport, Verification, Version

Tell = Callable[[str, int, int], None]
"""Told what is being looked at, how much of it is done, of how much."""


class Searcher(Protocol):
    """A library as questions see it: how it was at one moment, whatever is written meanwhile.

    Two threads may ask one at once.
    """

    def __len__(self) -> int:
        """How many passages there are, limited or not."""
        ...

    def limited(self, conditions: Sequence[Filter], clauses: Clauses) -> Searcher:
        """The same, but that only passages are proposed and listed which meet all conditions and
        the clauses. They hold before anything is ranked.
        """
        ...

    @property
    def exact(self) -> bool:
        """Whether :meth:`nearest` compares all sentences."""
        ...

    def nearest(self, question: Vector, sentences: int) -> Keys:
        """The passages of the so many nearest sentences, each once, best first."""
        ...

    def worded(self, question: str, passages: int) -> tuple[Keys, Scores]:
        """The so many passages that the question's words find best, with their scores, best first;
        there may be fewer, or none.
        """
        ...

    def matching(self, words: str) -> Keys:
        """Every passage that has all of the words in some form, ascending."""
        ...

    def word_scores(self, question: str, keys: Sequence[int]) -> Scores:
        """BM25 of given passages, as a share of the best there is for the question, in [0, 1]; 0
        for one that shares no word.
        """
        ...

    def vectors(self, keys: Sequence[int]) -> dict[int, Vectors]:
        """Sentence vectors by key; a passage that is gone is left out."""
        ...

    def sentences(self, keys: Sequence[int]) -> tuple[Keys, NDArray[np.int64], Vectors]:
        """The same in a row: keys, how many sentences each passage has, and all vectors."""
        ...

    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by key; a passage that is gone is left out."""
        ...

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; one that is gone is left out."""
        ...

    def tally(self, keys: Sequence[int]) -> tuple[DocumentCount, ...]:
        """How many of these passages each document has, in the order of their keys."""
        ...

    def piece_frequencies(self, pieces: Pieces) -> tuple[NDArray[np.int64], int]:
        """In how many passages each word piece occurs, and of how many; 0 for one never seen."""
        ...

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """The question's words that no passage and no title has, where a known one is near."""
        ...

    def matched(self, question: str, text: str) -> tuple[str, ...]:
        """The words of ``text``, as they stand there, that the question's words find."""
        ...

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """For each text the share of the question's words that it has in some form, weighted by
        rarity; in [0, 1].
        """
        ...

    def places(self, words: str, phrases: Sequence[str], text: str) -> tuple[Span, ...]:
        """Where in ``text`` the words stand, in some form, and the phrases, as they are."""
        ...


class Reader(Protocol):
    """What is in a library now, document by document."""

    @property
    def generation(self) -> int:
        """Rises with every change."""
        ...

    def counts(self) -> tuple[int, int, int]:
        """How many documents, passages and sentences there are."""
        ...

    def languages(self) -> dict[str, int]:
        """How many documents there are in each language; ``""`` where it is not known."""
        ...

    def has_document(self, document_id: str) -> bool:
        """Whether a document of that id is there."""
        ...

    def document(self, document_id: str) -> Document | None:
        """The document of that id, or None."""
        ...

    def passages_of(self, document_id: str) -> list[Passage]:
        """The passages of a document, in the order of its text."""
        ...

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; one that is gone is left out."""
        ...

    def vectors(self, keys: Sequence[int]) -> dict[int, Vectors]:
        """Sentence vectors by key; a passage that is gone is left out."""
        ...

    def encodings(self, passages: Sequence[Passage]) -> dict[int, PassageEncoding]:
        """What there is of passages with the same words and sentences, by position; one that was
        never encoded is left out.
        """
        ...

    def sources(self, files: Iterable[str] | None = None) -> list[Source]:
        """Every place where a document was found, or those in these files."""
        ...

    def files(self, paths: Iterable[str] | None = None) -> dict[str, FileRecord]:
        """Every file that was read, or those of them with these paths, by its path."""
        ...

    def files_with(self, digests: Iterable[str]) -> list[FileRecord]:
        """The files that were read and had one of these contents, by path."""
        ...

    def paths(self) -> tuple[list[str], list[str]]:
        """Of every place where a document was found, and of every file that was read."""
        ...

    def files_with_warnings(self) -> frozenset[str]:
        """The files of which something was read with doubts."""
        ...

    def file_reports(self) -> list[FileReport]:
        """Every file that was read, and what came of it, by path."""
        ...


class Catalogue(Protocol):
    """A library to leaf through."""

    def count(self, conditions: Filter) -> int:
        """How many documents meet all conditions."""
        ...

    def documents(
        self, conditions: Filter, order: Order, offset: int, limit: int | None
    ) -> list[DocumentSummary]:
        """A page of the documents that meet all conditions; without a limit, all from there."""
        ...

    def dates(self) -> Dates:
        """How many documents there are of each month, and how many have no date of their own."""
        ...

    def facets(self) -> Facets:
        """By what documents can be told apart; one with two sources counts by its first."""
        ...

    def sample(self, count: int) -> list[StoredPassage]:
        """Up to so many passages from all over the library: those whose ids come first, which are
        hashes.
        """
        ...

    def sources(self, document_id: str) -> list[str]:
        """Every place where a document was found, in order; none if there is no such document."""
        ...

    def files(self, document_id: str) -> list[str]:
        """Every file that holds a document, or something that does; none if there is none."""
        ...

    def key(self, passage_id: str) -> int | None:
        """The key of the passage of that id, or None."""
        ...

    def around(self, passage_id: str) -> tuple[int | None, int | None]:
        """The keys of the passages before and after one in its document; None at its ends."""
        ...


class Notes(Protocol):
    """What a library remembers of itself, by name; no index depends on it."""

    def note(self, name: str) -> str | None:
        """What is kept under a name, or None."""
        ...

    def keep(self, name: str, value: str | None) -> None:
        """Keep a value under a name, or with None nothing.

        Raises
        ------
        LibraryError
            If it can't be written.
        """
        ...


class Ratings(Protocol):
    """What readers said of hits."""

    def put(self, rating: Rating) -> None:
        """Keep a rating, in the place of an earlier one of this passage for this question."""
        ...

    def remove(self, rating: Rating) -> None:
        """Forget what was said of this passage for this question, if anything was."""
        ...

    def all(self) -> list[Rating]:
        """Every rating, the earliest first."""
        ...


class Writer(Protocol):
    """Changes what is in a library, each time so that it may be done again after a crash."""

    def put(
        self,
        document: Document,
        source: Source,
        passages: Sequence[Passage],
        encodings: Iterable[PassageEncoding],
    ) -> None:
        """Store a document, in the place of an earlier reading of it, and say where it was found.
        What only this source held before goes.
        """
        ...

    def point(self, sources: Sequence[Source]) -> None:
        """Say that sources hold documents that are there already, all before any is dropped."""
        ...

    def settle(self, records: Sequence[tuple[FileRecord, Sequence[str]]]) -> list[str]:
        """Record files as read, each with the sources that were found in it now; those that were
        found in it before, and no more, are forgotten and returned.
        """
        ...

    def remove(self, paths: Sequence[str], files: Sequence[str]) -> None:
        """Forget sources and files, and the documents that no other source holds."""
        ...

    def flush(self) -> None:
        """Commit what was given so far, where an engine holds it back until there is more."""
        ...


class Engine(Protocol):
    """One library, wherever it is kept. Any number of threads may use it."""

    @property
    def location(self) -> str | Path:
        """Its folder, or its URL."""
        ...

    @property
    def reader(self) -> Reader:
        """What is in it."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """What is in it, in order."""
        ...

    @property
    def notes(self) -> Notes:
        """What it remembers of itself."""
        ...

    @property
    def ratings(self) -> Ratings:
        """What readers said."""
        ...

    @property
    def writer(self) -> Writer:
        """What changes it; within :meth:`writing`."""
        ...

    def writing(self, beat: Beat = unobserved) -> AbstractContextManager[None]:
        """The right to write, for the time of a block. What was written can be found at its end,
        also where it ends by an error or Ctrl-C. ``beat`` is called while waiting for the right,
        and while what was written is indexed.

        Where one at a time may write, LibraryBusy is raised if another one goes on.
        """
        ...

    def searcher(self) -> Searcher:
        """The library as it is now, for questions."""
        ...

    def size(self) -> int:
        """Bytes that it takes."""
        ...

    @property
    def recall(self) -> float | None:
        """The share of the nearest sentences that it proposes; None where all, or if not known."""
        ...

    def verify(self, embedder: Embedder, tell: Tell, *, repair: bool) -> Verification:
        """Hold everything in it against everything else.

        Raises
        ------
        InputError
            If this engine can't; it says what to do instead.
        """
        ...

    def versions(self) -> list[Version]:
        """How it was at the ends of the latest runs, the newest first.

        Raises
        ------
        InputError
            If this engine keeps none; it says what to do instead.
        """
        ...

    def restore(self, number: int) -> None:
        """Go back to a version; what came since is gone.

        Raises
        ------
        InputError
            If there is no such version, or this engine keeps none.
        """
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...
