"""The published indexes, loaded once and reloaded when they change."""

from __future__ import annotations

import threading
from pathlib import Path

from rag.errors import LibraryBusy, LibraryDamaged, LibraryError, LibraryNotFound
from rag.index.folder import SECONDS_TO_WAIT, locked
from rag.index.publication import Indexes, Snapshot
from rag.index.sqlite import Changes
from rag.index.vectors import Segment
from rag.runtime.files import may_write, writing
from rag.runtime.heartbeat import Beat, no_heartbeat, run


class Snapshots:
    """The newest snapshot of a library's indexes, shared by the threads that search."""

    def __init__(self, folder: Path, store: Changes) -> None:
        self._folder = folder
        self._store = store
        self._indexes = Indexes(folder, store)
        self._newest: Snapshot | None = None
        self._refreshing = threading.Lock()

    @property
    def segment(self) -> Segment | None:
        """Metadata of the main vector segment; None if nothing valid is published."""
        return self._indexes.segment

    def publish(self, beat: Beat = no_heartbeat) -> None:
        """Update the indexes to the state of the store. The caller must hold the writer's lock."""
        with writing(self._folder):
            self._newest = run(self._indexes.publish, beat)

    def current(self) -> Snapshot:
        """The newest published indexes, even if another process published them.

        Raises
        ------
        LibraryBusy
            If nothing is published, and another writer, which could, keeps writing.
        LibraryError
            If nothing is published, and it can't be written.
        """
        with self._refreshing:
            published = self._indexes.generation
            if self._newest is None or published not in {None, self._newest.generation}:
                self._newest = self._indexes.load() or self._newest
            if self._newest is None or self._newest.generation < self._store.generation:
                self._newest = self._catch_up(self._newest)
            return self._newest

    def close(self) -> None:
        """Release the indexes and their files."""
        self._newest = None

    def _catch_up(self, behind: Snapshot | None) -> Snapshot:
        """Publish what a killed writer left unpublished.

        Another active writer will publish itself, so the previous snapshot is used meanwhile;
        likewise if nothing can be written, for lack of permission or space. If there is no valid
        one, this process builds temporary indexes.
        """
        if not may_write(self._folder):
            return behind or self._temporary(
                LibraryError(
                    f"the indexes of {self._folder} are missing or damaged, and can't be written; "
                    "run rag verify --repair once with write permission there"
                )
            )
        try:
            with locked(self._folder, 0.0 if behind else SECONDS_TO_WAIT), writing(self._folder):
                return self._indexes.publish()
        except (LibraryNotFound, LibraryDamaged):
            raise
        except LibraryError as error:  # another process is writing, or the disk is full
            if behind:
                return behind
            if isinstance(error, LibraryBusy):
                raise
            return self._temporary(error)

    def _temporary(self, otherwise: LibraryError) -> Snapshot:
        """Temporary indexes for this process; raises ``otherwise`` if there is no space for
        them.
        """
        try:
            return self._indexes.temporary()
        except (LibraryError, OSError):
            raise otherwise from None
