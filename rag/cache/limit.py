"""How much room the cache may take, and how much it takes."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.cache.file import connected, folder, newest
from rag.told_sizes import told_size

LIMIT_VARIABLE = "RAG_CACHE_LIMIT"
"""The environment variable that says how many bytes the cache may take; with 0 there is none."""

DEFAULT_LIMIT = 2_000_000_000
"""About 120,000 passages, or 100 million characters."""


@dataclass(frozen=True, slots=True)
class CacheStatus:
    """What the cache holds: how many ``encodings``, and its ``bytes`` on disk, of at most
    ``limit``. With a limit of 0 it is switched off.
    """

    path: Path
    encodings: int
    bytes: int
    limit: int


def limit() -> int:
    """The most bytes that the cache may take: ``$RAG_CACHE_LIMIT``, like 500MB, or the default.

    Raises
    ------
    InputError
        If it is something else.
    """
    return told_size(LIMIT_VARIABLE, DEFAULT_LIMIT)


def status() -> CacheStatus:
    """What the cache holds.

    Raises
    ------
    InputError
        If the limit is set to something else than a number of bytes.
    """
    found = newest(folder())
    encodings = 0
    if found:
        with suppress(sqlite3.Error):  # a damaged one is made anew by the next run
            connection = connected(found)
            try:
                (encodings,) = connection.execute("SELECT count(*) FROM entry").fetchone()
            finally:
                connection.close()
    size = found.stat().st_size if found else 0
    return CacheStatus(folder(), encodings, size, limit())
