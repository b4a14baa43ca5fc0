"""The engine of a shared library: Lance tables at a URL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rag.engine import Tell
from rag.heartbeat import Beat, run, unobserved
from rag.protocols import Embedder
from rag.reports import Verification, Version
from rag.shared import versions
from rag.shared.catalogue import SharedCatalogue
from rag.shared.lance_table import Table
from rag.shared.lance_tables import Tables
from rag.shared.notes import SharedNotes
from rag.shared.publishing import publish
from rag.shared.ratings import SharedRatings
from rag.shared.reader import SharedReader
from rag.shared.searcher import SharedSearcher
from rag.shared.statistics import Statistics
from rag.shared.workers import Workers
from rag.shared.writer import SharedWriter

SECONDS_BETWEEN_LOOKS = 0.5
"""How long a search may take the tables for what they were, before it looks for a newer version."""


class SharedEngine:
    """As :class:`rag.engine.Engine` says.

    Many processes may search and write at once, on as many machines. None of them holds a lock:
    Lance commits one after the other.
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
        """Its URL."""
        return self._tables.url

    @contextmanager
    def writing(self, beat: Beat = unobserved, by: Workers | None = None) -> Iterator[None]:
        """No lock: see the class. ``by`` are who bring indexes and counts up to date at the end,
        this machine by default.
        """
        try:
            yield
        finally:
            self.writer.flush()
            run(lambda: publish(self._tables, by), beat)
            self._newest = None

    def searcher(self) -> SharedSearcher:
        """The library as it was a moment ago."""
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

    def still(self) -> SharedEngine:
        """The same as it is now, to be read: whatever is written from now on is not seen."""
        return SharedEngine(self._tables.pinned())

    def look_again(self) -> None:
        """See what others wrote by now at the next search, and not only in half a second."""
        self._newest = None

    def size(self) -> int:
        """Of the rows as they lie in the tables; older versions and indexes are not counted."""
        tables = self._tables
        return sum(
            one.size()
            for one in (tables.passages, tables.documents, tables.files, tables.terms, tables.notes)
        )

    @property
    def recall(self) -> float | None:
        """Not measured."""
        return None

    def verify(self, embedder: Embedder, tell: Tell, *, repair: bool) -> Verification:
        """As :mod:`rag.shared.verifying` says."""
        from rag.shared import verifying

        return verifying.verify(self._tables, self.writer, embedder, tell, repair=repair)

    def versions(self) -> list[Version]:
        """As :mod:`rag.shared.versions` says."""
        return versions.versions(self._tables)

    def restore(self, number: int) -> None:
        """As :mod:`rag.shared.versions` says; the version that is left is kept, too."""
        versions.restore(self._tables, number)
        publish(self._tables)
        self._newest = None

    def close(self) -> None:
        """Nothing is held open."""
        self._newest = None
