"""A SQLite database file: create it, check it, connect to it, and run transactions."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from rag.errors import DiskFull, LibraryDamaged, LibraryMismatch, RagError
from rag.index.sqlite import connections
from rag.index.sqlite.connections import Connection, Cursor, Seen, connect
from rag.runtime.files import may_write, sync_folder

STEPS_BETWEEN_PROGRESS = 200_000
"""Steps of SQLite's virtual machine between progress callbacks: some tenths of a second."""

FACTS = ("format", "library", "fingerprint", "generation", "sentences")
"""The metadata that every library has; all other entries are notes."""

FORMAT = 1
"""Version of the tables in ``schema.sql``; libraries of another version are refused."""


def schema() -> str:
    """The SQL that creates the tables and indexes of an empty library."""
    return files("rag.index.sqlite").joinpath("schema.sql").read_text("utf-8")


class Database:
    """Connections to one library's SQLite file, one per thread.

    ``library`` is the library's folder, if the file lies elsewhere.
    """

    def __init__(self, path: Path, dimension: int, library: Path | None = None) -> None:
        self.dimension = dimension
        self._path = path
        self._library = library or path.parent
        self._fingerprint: str | None = None
        self._local = threading.local()
        self._connections: dict[threading.Thread, Connection] = {}
        self._opening = threading.Lock()
        # A library that was re-encoded lets go of this one, and of the disk space of its files.
        weakref.finalize(self, _close_all, self._connections).atexit = False

    @staticmethod
    def create(path: Path, fingerprint: str) -> None:
        """Create an empty database, atomically."""
        draft = path.with_name(path.name + ".draft")
        for left in path.parent.glob(f"{draft.name}*"):  # includes its journal
            left.unlink()
        with connections.translate_errors(path):
            Database._write_empty(draft, fingerprint)
        draft.replace(path)
        sync_folder(path.parent)

    @staticmethod
    def _write_empty(draft: Path, fingerprint: str) -> None:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            # Rows with token bits take about 15 KB: larger pages mean shorter overflow chains.
            connection.execute("PRAGMA page_size = 8192")
            connection.executescript(f"BEGIN; {schema()}")  # not one transaction a table
            facts = {
                "format": str(FORMAT),
                "library": uuid.uuid4().hex,
                "fingerprint": fingerprint,
                "generation": "0",
                "sentences": "0",
            }
            connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()

    def check(self, fingerprint: str) -> None:
        """Refuse a file that is not a library, or made by another model or another version, by
        raising LibraryDamaged or LibraryMismatch.
        """
        folder = self._library
        code = self.connection.execute(  # triggers, views and virtual tables, which could run code
            "SELECT type, name FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
            " OR rootpage = 0 LIMIT 1"
        ).fetchone()
        if code:
            raise LibraryDamaged(
                f"{self._path} has a {code[0]} “{code[1]}” that no rag library has; "
                "restore it from a copy, or index into another folder: --library DIR"
            )
        found, model = self.fact("format"), self.fact("fingerprint")
        if found != str(FORMAT):
            raise LibraryMismatch(
                f"{folder} has format {found}, and this version of rag reads format {FORMAT}; "
                "index again, into a new library: --library DIR"
            ) from ValueError(f"format {found}, not {FORMAT}")
        if model != fingerprint:
            raise LibraryMismatch(
                f"{folder} was made with the model “{model}” and can't be used with "
                f"“{fingerprint}”; re-encode it: rag index --model NAME --library DIR"
            )
        self._fingerprint = fingerprint

    def fact(self, name: str) -> str:
        """A metadata entry that every library has: one of :data:`FACTS`."""
        value = self.note(name)
        if value is None:
            raise LibraryDamaged(
                f"{self._path} is not a rag library (no {name}); "
                "restore it from a copy, or index into another folder: --library DIR"
            )
        return value

    def note(self, name: str) -> str | None:
        """The value of a key, or None."""
        found = self.value("SELECT value FROM meta WHERE name = ?", (name,))
        return None if found is None else str(found)

    def keep(self, name: str, value: str | None) -> None:
        """Store a value under a key; None deletes it. No index depends on it."""
        with self.change() as connection:
            _keep(connection, name, value)

    def adopt(self, fingerprint: str, notes: Mapping[str, str | None]) -> None:
        """Assign another model to a library without documents, with notes as :meth:`keep` takes
        them. Its indexes become invalid.
        """
        with self.change() as connection:
            _keep(connection, "fingerprint", fingerprint)
            _keep(connection, "library", uuid.uuid4().hex)
            for name, value in notes.items():
                _keep(connection, name, value)
        self._fingerprint = fingerprint

    @property
    def writable(self) -> bool:
        """Whether this process may write to the library's folder."""
        return may_write(self._path.parent)

    @property
    def connection(self) -> Connection:
        """This thread's connection."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            if self._local.seen == connections.file_state(
                self._path, unchanging=connection.makeshift
            ):
                return connection
            connection.close()
        seen: Seen = connections.file_state(self._path)
        connection = connect(self._path)
        if connection.makeshift:
            seen = connections.file_state(self._path, unchanging=True)
        with self._opening:
            self._close_abandoned()
            self._connections[threading.current_thread()] = connection
        self._local.connection, self._local.seen = connection, seen
        return connection

    def execute(self, statement: str, values: Any = ()) -> Cursor:  # noqa: ANN401 (as in sqlite3)
        """Execute a statement on this thread's connection."""
        return self.connection.execute(statement, values)

    def value(self, statement: str, values: Any = ()) -> Any:  # noqa: ANN401
        """The first column of the first row that a query finds; None if there is none."""
        row = self.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def _close_abandoned(self) -> None:
        """Close the connections of threads that have ended: a server keeps starting new ones."""
        for thread in [one for one in self._connections if not one.is_alive()]:
            self._connections.pop(thread).close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Context manager: all reads of this thread see one snapshot; writers carry on."""
        connection = self.connection
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, int]]:
        """A transaction for a new generation; yields the connection and the generation."""
        with self.change() as connection:
            (generation,) = connection.execute(
                "UPDATE meta SET value = value + 1 WHERE name = 'generation'"
                " RETURNING CAST(value AS INTEGER)"
            ).fetchone()
            yield connection, generation

    @contextmanager
    def change(self) -> Iterator[Connection]:
        """A transaction without a new generation, for changes that no index depends on; raises
        LibraryError if SQLite can't write: the disk is full, say, or the folder is read-only, and
        LibraryMismatch if the library was re-encoded since :meth:`check`.

        It doesn't need the library's lock: SQLite admits one writer after the other.
        """
        connection = self.connection
        if connection.makeshift:  # there may be space again
            self._local.connection = None
            connection.close()
            connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._require_model()
            yield connection
            connection.execute("COMMIT")
        except BaseException:  # including Ctrl-C
            if connection.in_transaction:  # SQLite rolls back by itself if the disk is full
                with suppress(RagError):  # impossible if the disk is gone
                    connection.execute("ROLLBACK")
            raise

    def _require_model(self) -> None:
        if self._fingerprint not in {None, self.fact("fingerprint")}:
            raise LibraryMismatch(
                f"the library in {self._library} was re-encoded with another model; open it again"
            )

    def copy(self, target: Path, on_progress: Callable[[int, int], None]) -> None:
        """Copy a snapshot of the database to a new file; writers carry on meanwhile.

        ``on_progress`` is called with the bytes written and the approximate total. Raises
        LibraryError, or OSError if there is no space for the file.
        """
        total = self._path.stat().st_size

        def tell() -> int:
            written = target.stat().st_size if target.exists() else 0
            on_progress(min(written, total), total)
            return 0

        connection = self.connection
        connection.set_progress_handler(tell, STEPS_BETWEEN_PROGRESS)
        try:
            connection.execute("VACUUM INTO ?", (str(target),))
        except DiskFull as error:  # of the target
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        finally:
            connection.set_progress_handler(None, 0)
        on_progress(total, total)

    def use_journal(self) -> None:
        """Switch a copy to write-ahead logging, so that reads and writes can run in parallel."""
        self.connection.execute("PRAGMA journal_mode = WAL").fetchone()

    def close(self) -> None:
        """Close every connection; the database can't be used afterwards."""
        with self._opening:
            _close_all(self._connections)


def _close_all(connections: dict[threading.Thread, Connection]) -> None:
    while connections:
        connections.popitem()[1].close()


def _keep(connection: Connection, name: str, value: str | None) -> None:
    connection.execute("DELETE FROM meta WHERE name = ?", (name,))
    if value is not None:
        connection.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
