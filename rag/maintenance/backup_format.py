"""The archive format: a ZIP file without compression, whose ``manifest.json`` has the SHA-256 and
size of every other member.

The members are the store and the uploaded files. The search indexes are not included: FAISS and
tantivy trust the files they open, a checksum in an archive proves nothing about its author, and
indexes can be rebuilt from the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from rag.index.sqlite import Database

VERSION = 1
"""Version of the format; others are refused."""

MANIFEST = "manifest.json"
STORE = "library.db"

CHUNK = 1 << 20
"""Buffer size of copies, in bytes."""

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Progress callback: task, bytes done, total bytes."""


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """The content of an archive: number of ``documents``, and size in ``bytes``."""

    documents: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``manifest.json``; ``folder`` was the library's folder, because uploaded files
    are identified by their path.
    """

    version: int
    folder: str
    members: Mapping[str, Member]


class CopyProgress:
    """Progress of copying ``total`` bytes."""

    def __init__(self, total: int, on_progress: OnProgress, what: str = "copied") -> None:
        self._total = total
        self._on_progress = on_progress
        self._what = what
        self._done = 0

    def __call__(self, more: int) -> None:
        """Report that ``more`` bytes have been copied."""
        self._done += more
        self._on_progress(self._what, self._done, max(self._total, self._done))


def documents(database: Database) -> int:
    """The number of documents."""
    (found,) = database.connection.execute("SELECT count(*) FROM document").fetchone()
    return int(found)
