"""The cache as the encoder uses it: it may fail, and never makes anything else fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rag.cache.file import folder, make_room, newest, opened, room, shrink, size, transaction
from rag.cache.limit import LIMIT_VARIABLE
from rag.cache.packing import packed, unpacked
from rag.types import PassageEncoding

_TROUBLE = sqlite3.Error, OSError, ValueError
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_IOERR_SHORT_READ")
"""What SQLite's names for damage begin with."""


class EncodingCache:
    """Encodings of one dimension, by the hash that :func:`content_digest` gives.

    For one thread; any number of processes may have it open.

    Attributes
    ----------
    warnings
        What went wrong, in words for the user.
    """

    def __init__(self, folder: Path, dimension: int, limit: int) -> None:
        self.warnings: list[str] = []
        self._folder = folder
        self._dimension = dimension
        self._limit = limit
        self._path: Path | None = None
        self._connection: sqlite3.Connection | None = None
        self._run = 0

    @classmethod
    def open(cls, dimension: int, limit: int) -> Self:
        """The user's cache. Where that fails, one that is empty and stays so."""
        cache = cls(folder(), dimension, limit)
        if limit:
            with cache._forgiving():
                cache._connect(besides=None)
        return cache

    def close(self) -> None:
        """Let go of the file."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def known(self, keys: Iterable[bytes]) -> dict[bytes, PassageEncoding]:
        """The encodings that the cache has of these, by key."""
        found: dict[bytes, PassageEncoding] = {}
        connection = self._connection
        if connection is None:
            return found
        used = []
        with self._forgiving():
            for key in keys:
                row = connection.execute(
                    "SELECT content, used FROM entry JOIN encoding ON encoding.id = entry.encoding"
                    " WHERE key = ?",
                    (key,),
                ).fetchone()
                if row:
                    found[key] = unpacked(row[0], key, self._dimension)
                    if row[1] != self._run:
                        used.append((self._run, key))
            if used:
                with transaction(connection):
                    connection.executemany("UPDATE entry SET used = ? WHERE key = ?", used)
        return found

    def keep(self, encoded: Iterable[tuple[bytes, PassageEncoding]]) -> None:
        """Keep encodings by key; those of use the longest ago go, if there is no room."""
        connection = self._connection
        if connection is None:
            return
        rows = [(key, packed(made, key)) for key, made in encoded]
        wanted = sum(room(content) for _, content in rows)
        while wanted > self._limit:
            wanted -= room(rows.pop()[1])
        with self._forgiving():
            with transaction(connection):
                if make_room(connection, self._limit, wanted):
                    self._insert(connection, rows)
            shrink(connection, self._limit)

    def _insert(self, connection: sqlite3.Connection, rows: list[tuple[bytes, bytes]]) -> None:
        for key, content in rows:
            # Another process may have been quicker.
            if not connection.execute("SELECT 1 FROM entry WHERE key = ?", (key,)).fetchone():
                cursor = connection.execute("INSERT INTO encoding (content) VALUES (?)", (content,))
                entry = key, cursor.lastrowid, self._run
                connection.execute("INSERT INTO entry VALUES (?, ?, ?)", entry)

    def _connect(self, besides: Path | None) -> None:
        self._path, self._connection = opened(self._folder, besides)
        (last,) = self._connection.execute("SELECT max(used) FROM entry").fetchone()
        self._run = (last or 0) + 1
        if size(self._connection) > self._limit:  # it was greater before
            with transaction(self._connection):
                make_room(self._connection, self._limit, 0)
            shrink(self._connection, self._limit)

    @contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Whatever goes wrong inside is told, and ends only the use of the cache."""
        try:
            yield
        except _TROUBLE as error:
            self.close()
            if not _is_damage(error):
                self.warnings.append(
                    f"the cache of encodings in {self._folder} can't be used ({error}), and this "
                    f"run goes without; {LIMIT_VARIABLE}=0 switches it off"
                )
                return
            self.warnings.append(
                f"the cache of encodings in {self._folder} was damaged, and is made anew"
            )
            try:
                self._connect(besides=self._path or newest(self._folder))
            except _TROUBLE as again:
                self.close()
                self.warnings.append(f"that failed ({again}), and this run goes without")


def _is_damage(error: Exception) -> bool:
    """Whether the file is at fault, and not the disk, the rights, or another process."""
    if isinstance(error, sqlite3.Error):
        name: str = getattr(error, "sqlite_errorname", "")
        return name.startswith(_DAMAGE)
    return isinstance(error, ValueError)
