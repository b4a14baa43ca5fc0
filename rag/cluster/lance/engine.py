"""The engine of a shared library: Lance tables at a URL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rag.cluster.lance import versions
from rag.cluster.lance.catalogue import SharedCatalogue
from rag.cluster.lance.indexes import HERE, Workers
from rag.cluster.lance.notes import SharedNotes, SharedRatings
from rag.cluster.lance.publication import publish
from rag.cluster.lance.reader import SharedReader
from rag.cluster.lance.searcher import SharedSearcher
from rag.cluster.lance.statistics import Statistics
from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.cluster.lance.writer import SharedWriter
from rag.index.integrity import OnProgress
from rag.runtime.heartbeat import Beat, no_heartbeat, run
from rag.types.protocols import Embedder
from rag.types.reports import Verification, Version

SECONDS_BETWEEN_LOOKS = 0.5
"""How long a search may use the current versions before checking for newer ones."""


class SharedEngine:
    """Implements :class:`rag.index.engine.Engine`.

    Any number of processes, on any number of machines, may search and write concurrently. There is
    no lock: Lance serialises commits.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.writer = SharedWriter(tables)
        self.reader = SharedReader(tables)
        self.catalogue = SharedCatalogue(tables)
        self.notes = SharedNotes(tables)
        self.ratings = SharedRatings(tables)
        self._looking = threading.Lock()
        self._newest: tuple[float, Table, Statistics] | None = None

    @property
    def location(self) -> str:
        """The library's URL."""
        return self._tables.url

    @contextmanager
    def writing(self, beat: Beat = no_heartbeat, by: Workers = HERE) -> Iterator[None]:
        """Context for writing, without a lock: see the class. At the end, ``by`` updates indexes
        and counts.
        """
        try:
            yield
        finally:
            self.writer.flush()
            run(lambda: publish(self._tables, by), beat)
            self._newest = None

    def has_model(self, fingerprint: str) -> bool:
        """Always: a shared library keeps the model that it was made with."""
        del fingerprint
        return True

    def searcher(self) -> SharedSearcher:
        """Search the library as of a moment ago."""
        with self._looking:
            now = time.monotonic()
            if self._newest is None or now - self._newest[0] > SECONDS_BETWEEN_LOOKS:
                passages, terms = self._tables.passages, self._tables.terms
                known = self._newest[2] if self._newest else None
                if known is None or known.version != terms.version:
                    known = Statistics(terms)
                self._newest = now, passages, known
            _, passages, statistics = self._newest
        return SharedSearcher(passages, statistics)

    def pinned(self) -> SharedEngine:
        """A read-only engine pinned to the current version."""
        return SharedEngine(self._tables.pinned())

    def size(self) -> int:
        """Bytes of the current rows; older versions and indexes are not included."""
        return sum(one.size() for one in self._tables.all().values())

    @property
    def recall(self) -> float | None:
        """Not measured."""
        return None

    def verify(self, embedder: Embedder, on_progress: OnProgress, *, repair: bool) -> Verification:
        """See :mod:`rag.cluster.lance.verification`."""
        from rag.cluster.lance import verification

        found = verification.verify(self._tables, self.writer, embedder, on_progress, repair=repair)
        self._newest = None
        return found

    def versions(self) -> list[Version]:
        """See :mod:`rag.cluster.lance.versions`."""
        return versions.versions(self._tables)

    def restore(self, number: int) -> None:
        """See :mod:`rag.cluster.lance.versions`; the current version is kept, too."""
        versions.restore(self._tables, number)
        publish(self._tables)
        self._newest = None

    def close(self) -> None:
        """Do nothing: no resources are held."""
        self._newest = None
