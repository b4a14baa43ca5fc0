"""The engine of a library in a folder: a SQLite store with FAISS and tantivy indexes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryMismatch
from rag.index.folder import STORE, locked, remove_superseded, store_folder
from rag.index.integrity import OnProgress
from rag.index.lexical import NOTHING_ASKED, TantivyReader
from rag.index.snapshot import Snapshot, Snapshots
from rag.index.sqlite.catalogue import Catalogue
from rag.index.sqlite.changes import Changes
from rag.index.sqlite.database import Database
from rag.index.sqlite.ratings import RatingStore
from rag.index.sqlite.reader import StoreReader
from rag.index.sqlite.writer import StoreWriter
from rag.index.vectors.faiss_index import NONE
from rag.runtime.files import size_of
from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.types import Clauses
from rag.types.arrays import Keys, Pieces, Scores, Vector, distinct
from rag.types.filters import Filter
from rag.types.protocols import Embedder
from rag.types.reports import Verification


def apply_clauses(
    among: Keys | None, clauses: Clauses, words: TantivyReader
) -> tuple[Keys | None, Keys]:
    """Limit the passages ``among`` (None means all) to those that also meet the clauses.

    Returns their keys, ascending, or None for all, and the keys, ascending, of exceptions: excluded
    words are mostly rare, and in a large library it would take long to list all other passages.
    """
    but = NONE
    if not clauses.phrases:
        for phrase in clauses.without:
            but = np.union1d(but, words.matching("", Clauses(phrases=(phrase,))))
    if clauses.phrases or 2 * len(but) > len(words):  # then the complement is shorter
        return words.matching("", clauses, among), NONE
    return among, but


class EmbeddedSearcher:
    """Implements :class:`rag.index.engine.Searcher` with an index snapshot and the current store.

    A passage may have been deleted from the store since the snapshot.
    """

    def __init__(
        self,
        store: StoreReader,
        snapshot: Snapshot,
        among: Keys | None = None,
        clauses: Clauses = NOTHING_ASKED,
    ) -> None:
        self._store = store
        self._snapshot = snapshot
        self._among = among
        self._clauses = clauses
        # As the store is now.
        self.sentences, self.tokens, self.passages = store.sentences, store.tokens, store.passages
        self.count_by_document, self.languages = store.count_by_document, store.languages
        # As of the snapshot.
        words = snapshot.words
        self.analysis = words.analysis
        self.respellings, self.coverage = words.respellings, words.coverage

    def __len__(self) -> int:
        """Number of passages."""
        return self._snapshot.pieces.passages

    def filtered(self, conditions: Sequence[Filter], clauses: Clauses) -> EmbeddedSearcher:
        """See :meth:`rag.index.engine.Searcher.filtered`."""
        # Query the store here: lexical searches run in threads of their own, and each thread would
        # open its own connection.
        limiting = [one for one in conditions if one]
        among = self._store.matching(limiting) if limiting else None
        return EmbeddedSearcher(self._store, self._snapshot, among, clauses)

    @cached_property
    def _limits(self) -> tuple[Keys | None, Keys]:
        return apply_clauses(self._among, self._clauses, self._snapshot.words)

    def nearest(self, question: Vector, sentences: int, passages: int) -> Keys:
        """Search the vector index."""
        index = self._snapshot.vectors
        keys, _ = index.search(question, sentences, *self._limits)
        return distinct(keys)[: passages if index.exact else 2 * passages]

    def lexical(
        self, question: str, passages: int, among: Sequence[int] | None = None
    ) -> tuple[Keys, Scores]:
        """Search the lexical index."""
        words = self._snapshot.words
        if among is not None:
            return words.search(question, passages, np.array(among, dtype=np.int64))
        return words.search(question, passages, self._limits[0], self._clauses)

    def matching(self, words: str) -> Keys:
        """Passages with all of the words."""
        return self._snapshot.words.matching(words, self._clauses, self._among)

    def piece_frequencies(self, pieces: Pieces) -> tuple[NDArray[np.int64], int]:
        """As of the snapshot."""
        known = self._snapshot.pieces
        return known.of(pieces), known.passages


class EmbeddedEngine:
    """Implements :class:`rag.index.engine.Engine` for a folder.

    ``store`` is the folder of the store and its indexes, by default that which counts now.
    """

    def __init__(self, folder: Path, dimension: int, store: Path | None = None) -> None:
        self.location = folder
        self.store = store or store_folder(folder)
        self.database = Database(self.store / STORE, dimension, folder)
        self.snapshots = Snapshots(self.store, Changes(self.database), folder)
        self.notes = self.database
        self.reader = StoreReader(self.database)
        self.catalogue = Catalogue(self.database)
        self.writer = StoreWriter(self.database)
        self.ratings = RatingStore(self.database)

    @contextmanager
    def writing(self, beat: Beat = no_heartbeat) -> Iterator[None]:
        """Hold the folder's lock, and publish the indexes at the end."""
        with locked(self.location, beat=beat):
            self.require_newest()
            remove_superseded(self.location)
            try:
                yield
            finally:
                self.snapshots.publish(beat)

    def has_model(self, fingerprint: str) -> bool:
        """See :meth:`rag.index.engine.Engine.has_model`."""
        return (
            store_folder(self.location) == self.store
            and self.database.fact("fingerprint") == fingerprint
        )

    def require_newest(self) -> None:
        """Raise LibraryMismatch if another process has replaced the store while this one waited."""
        if store_folder(self.location) != self.store:
            raise LibraryMismatch(
                f"another process has re-encoded {self.location} with another model; run it again"
            )

    def searcher(self) -> EmbeddedSearcher:
        """The newest snapshot, even if another process published it."""
        return EmbeddedSearcher(self.reader, self.snapshots.current())

    def size(self) -> int:
        """Total size of the files in the folder."""
        return size_of(self.location)

    @property
    def recall(self) -> float | None:
        """As measured when the main segment was written."""
        segment = self.snapshots.segment
        return segment.recall if segment and segment.trained else None

    def verify(self, embedder: Embedder, on_progress: OnProgress, *, repair: bool) -> Verification:
        """See :mod:`rag.index.verification`."""
        from rag.index import verification

        return verification.verify(
            self.location, self.store, self.database, embedder, on_progress, repair=repair
        )

    def close(self) -> None:
        """Release files and connections; the engine can't be used afterwards."""
        self.snapshots.close()
        self.database.close()
