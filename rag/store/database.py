"""One SQLite file: made, checked, connected to, and written in transactions."""

from __future__ import annotations

import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from rag.characters import plain
from rag.errors import LibraryDamaged, LibraryError, LibraryMismatch
from rag.files import sync_folder

FORMAT = 4
"""Of the tables in ``schema.sql``. An older library is brought up to it when it is opened; a newer
one is refused."""

_STEPS: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        1: (
            "ALTER TABLE passage ADD COLUMN content INTEGER",
            "CREATE INDEX passage_content ON passage (content)",
        ),
        2: (
            """CREATE TABLE feedback (
                question TEXT NOT NULL, passage TEXT NOT NULL, document TEXT NOT NULL,
                source TEXT NOT NULL, quotation TEXT NOT NULL, start INTEGER NOT NULL,
                "end" INTEGER NOT NULL, good INTEGER NOT NULL, score REAL NOT NULL,
                time TEXT NOT NULL, PRIMARY KEY (question, passage)
            ) WITHOUT ROWID""",
        ),
        3: (
            "ALTER TABLE removed DROP COLUMN sentences",
            "CREATE INDEX document_language ON document (metadata ->> '$.language')",
            # Counted from now on: adding them up takes seconds in a large library.
            """INSERT INTO meta
                SELECT 'sentences', coalesce(sum(length(sentences)), 0) / 8 FROM passage""",
        ),
    }
)
"""What leads from a format to the next one."""


class Database:
    """Connections to one library's SQLite file, one for each thread that asks."""

    def __init__(self, path: Path, dimension: int) -> None:
        self.dimension = dimension
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._opening = threading.Lock()

    @staticmethod
    def create(path: Path, fingerprint: str) -> None:
        """Make an empty database; it is there whole or not at all."""
        draft = path.with_name(path.name + ".draft")
        for left in path.parent.glob(f"{draft.name}*"):  # with SQLite's journal of it
            left.unlink()
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            # Rows with token bits are about 15 KB: larger pages make shorter chains of them.
            connection.execute("PRAGMA page_size = 8192")
            schema = files("rag.store").joinpath("schema.sql").read_text("utf-8")
            connection.executescript(f"BEGIN; {schema}")  # not one transaction a table
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
        draft.replace(path)
        sync_folder(path.parent)

    def check(self, fingerprint: str) -> None:
        """Refuse a file that is no library, or made by another model or a newer version.

        A library of an older format is brought up to this version's.

        Raises
        ------
        LibraryDamaged, LibraryMismatch
        """
        folder = self._path.parent
        try:
            found, model = self.fact("format"), self.fact("fingerprint")
        except (sqlite3.DatabaseError, KeyError) as error:
            raise self._damaged(error) from error
        if not (found.isdecimal() and 1 <= int(found) <= FORMAT):
            raise LibraryMismatch(
                f"{folder} has format {found}, and this version of rag reads formats up to "
                f"{FORMAT}; use the version that made it, or index into a new library: "
                "--library DIR"
            )
        if model != fingerprint:
            raise LibraryMismatch(
                f"{folder} was made with the model “{model}” and can't be used with "
                f"“{fingerprint}”; index your documents into a new library: --library DIR"
            )
        if int(found) < FORMAT:
            self._migrate()

    def _migrate(self) -> None:
        """Bring the tables up to this format: all of it or nothing."""
        with self.transaction() as (connection, _):
            # Again, now that no one else writes: another process may have done it meanwhile.
            for step in range(int(self.fact("format")), FORMAT):
                for statement in _STEPS[step]:
                    connection.execute(statement)
            connection.execute("UPDATE meta SET value = ? WHERE name = 'format'", (str(FORMAT),))

    def fact(self, name: str) -> str:
        """What the library says of itself: format, library, fingerprint, generation, sentences."""
        value = self.note(name)
        if value is None:
            raise KeyError(name)
        return value

    def note(self, name: str) -> str | None:
        """What is kept under a name, or None."""
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def readable_note(self, name: str) -> str | None:
        """What is kept under a name, or None, of a file that nobody has checked yet.

        Raises
        ------
        LibraryDamaged
            If it is no library.
        """
        try:
            return self.note(name)
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> LibraryDamaged:
        return LibraryDamaged(
            f"{self._path} is no library of rag ({error}); "
            "restore it from a copy, or index into another folder: --library DIR"
        )

    def keep(self, name: str, value: str | None) -> None:
        """Keep a value under a name, or with None nothing; no index depends on it.

        Raises
        ------
        LibraryError
            If SQLite can't write.
        """
        with self.change() as connection:
            connection.execute("DELETE FROM meta WHERE name = ?", (name,))
            if value is not None:
                connection.execute("INSERT INTO meta VALUES (?, ?)", (name, value))

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            # mode=rw: a library that vanished is an error, not a new empty file.
            uri = f"{self._path.absolute().as_uri()}?mode=rw"
            # check_same_thread is off only so that close() can close them all.
            connection = sqlite3.connect(
                uri, uri=True, isolation_level=None, check_same_thread=False
            )
            # FULL: what was committed survives a power cut, too.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.create_function("casefold", 1, str.casefold, deterministic=True)
            connection.create_function("plain", 1, plain, deterministic=True)
            with self._opening:
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        """All of the block's changes or none, as one new generation, whose number it is given.

        Raises
        ------
        LibraryError
            If SQLite can't write: the disk is full, say, or the folder is read-only.
        """
        with self.change() as connection:
            (generation,) = connection.execute(
                "UPDATE meta SET value = value + 1 WHERE name = 'generation'"
                " RETURNING CAST(value AS INTEGER)"
            ).fetchone()
            yield connection, generation

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """All of the block's changes or none, to what no index depends on: no new generation.

        It needs no lock of the library's: SQLite lets one writer after the other in.

        Raises
        ------
        LibraryError
            If SQLite can't write.
        """
        connection = self.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:  # Ctrl-C too
            if connection.in_transaction:  # on a full disk SQLite has rolled back by itself
                connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise LibraryError(
                    f"{self._path.parent} can't be written ({error}); "
                    "check the disk's space and the folder's permissions, then run it again"
                ) from error
            raise

    def close(self) -> None:
        """Close every connection; the database can't be used afterwards."""
        with self._opening:
            while self._connections:
                self._connections.pop().close()
