"""What an archive of a library is: a ZIP file, stored as it is, without compression, whose
``manifest.json`` names the SHA-256 and the size of every other member.

The members are the store and the files that were sent to the library. The search indexes are not
among them: FAISS and tantivy trust the files that they open, a checksum in an archive proves
nothing about who made it, and everything in an index can be made again from the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from rag.index.sqlite import Database

VERSION = 1
"""Of the archive; others are refused."""

MANIFEST = "manifest.json"
STORE = "library.db"

CHUNK = 1 << 20
"""Bytes that are copied at once."""

Tell: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, how many bytes of it are done, of how many."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What an archive holds: how many ``documents`` and ``bytes``."""

    documents: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file in it."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``folder`` is where the library was: files that were sent are known by where they lie."""

    version: int
    folder: str
    members: Mapping[str, Member]


class Copying:
    """How much is copied of so many bytes."""

    def __init__(self, total: int, tell: Tell, what: str = "copied") -> None:
        self._total = total
        self._tell = tell
        self._what = what
        self._done = 0

    def __call__(self, more: int) -> None:
        """So many bytes more."""
        self._done += more
        self._tell(self._what, self._done, max(self._total, self._done))


def documents(database: Database) -> int:
    """How many documents there are."""
    (found,) = database.connection.execute("SELECT count(*) FROM document").fetchone()
    return int(found)
