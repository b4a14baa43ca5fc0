"""Connections to a SQLite file, writable or read-only, with errors translated for users.

In a read-only folder, SQLite can't share its journal with other processes. Without a journal the
file is complete in itself, and is opened as immutable; it is reopened if a process with more rights
starts writing, or if the file is replaced. With a journal, and a writer that has it open, the
journal is read too.

A connection outlives the name of its file. So each use checks whether the file still exists and is
the same: otherwise a deleted library would still answer, and a restored one would not be noticed.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeAlias

from rag.errors import DiskFull, LibraryBusy, LibraryDamaged, LibraryError, LibraryNotFound
from rag.runtime.files import SPECIAL, may_write, special_in
from rag.text.unicode import plain
from rag.types.parts import whole_source

_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR", "SQLITE_MISMATCH")
_NO_ROOM = ("SQLITE_IOERR_SHM", "SQLITE_FULL", "SQLITE_CANTOPEN")
_UNCHANGING = "mode=ro&immutable=1"
_OCCUPIED = ("SQLITE_BUSY", "SQLITE_LOCKED")

Seen: TypeAlias = tuple[int, ...]
"""Identity of the file that was opened: its device and inode. In a read-only folder, also its size,
the time of its last change, and whether there was a journal."""


def file_state(path: Path, *, unchanging: bool = False) -> Seen:
    """The file's current identity, with size and time of last change if it is read-only or opened
    as immutable; raises LibraryNotFound if it is gone.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise LibraryNotFound(
            f"the library in {path.parent} is gone ({error.strerror}); put the folder back, or "
            "mount its disk again"
        ) from error
    if may_write(path.parent) and not unchanging:
        return facts.st_dev, facts.st_ino
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, _has_journal(path)


def connect(path: Path) -> Connection:
    """Connect to the file; any thread may close the connection."""
    if special := special_in(path.with_name(path.name + end) for end in ("", "-wal", "-shm")):
        raise LibraryDamaged(f"{special}: {SPECIAL}; name another library: --library DIR")
    with translate_errors(path):
        # Never mode=rwc: a missing library is an error, and must not become a new empty file.
        if not may_write(path.parent):
            connection = _open(path, "mode=ro" if _has_journal(path) else _UNCHANGING)
        else:
            try:
                connection = _open(path, "mode=rw")
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith(_NO_ROOM):
                    raise
                # There is no space for the -wal and -shm files by which processes share a journal.
                # If there is a journal, use heap memory, which locks out other processes.
                mode = "mode=rw&vfs=unix-excl" if _has_journal(path) else _UNCHANGING
                connection = _open(path, mode)
                connection.makeshift = True
    # The schema is untrusted, and must not call functions with side effects.
    connection.execute("PRAGMA trusted_schema = OFF")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE)
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, enable=False)
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, enable=False)
    # FULL: commits survive a power failure, too.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("casefold", 1, str.casefold, deterministic=True)
    connection.create_function("plain", 1, plain, deterministic=True)
    connection.create_function("whole_source", 1, whole_source, deterministic=True)
    return connection


def _open(path: Path, mode: str) -> Connection:
    """Open a connection, and check that it can read the file."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    connection.path, connection.lock = path, threading.RLock()
    try:
        super(Connection, connection).execute("SELECT 1 FROM sqlite_schema").close()
    except BaseException:
        connection.close()
        raise
    return connection


class Connection(sqlite3.Connection):
    """A connection that raises library errors.

    A thread may close it while another uses it: ``lock`` is held while SQLite is at work, since a
    statement that is freed while it runs crashes the process.
    """

    path: Path
    lock: threading.RLock
    makeshift = False
    """Whether it was opened without the -wal and -shm files, for lack of space."""

    def cursor(self, factory: object = None) -> Cursor:  # type: ignore[override]
        """Create a cursor, which every statement uses."""
        del factory
        found = super().cursor(Cursor)
        found.path, found.lock = self.path, self.lock
        return found

    def close(self) -> None:
        """See :meth:`sqlite3.Connection.close`; a statement that runs is waited for."""
        with self.lock:
            super().close()

    def execute(self, *args: Any) -> Cursor:  # noqa: ANN401
        """See :meth:`sqlite3.Connection.execute`, which would use its own cursor class."""
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Cursor:  # noqa: ANN401
        """See :meth:`sqlite3.Connection.executemany`, which would use its own cursor class."""
        return self.cursor().executemany(*args)


class Cursor(sqlite3.Cursor):
    """A cursor that raises library errors."""

    path: Path
    lock: threading.RLock

    def execute(self, *args: Any) -> Self:  # noqa: ANN401
        """See :meth:`sqlite3.Cursor.execute`."""
        with self.lock, translate_errors(self.path):
            return super().execute(*args)

    def executemany(self, *args: Any) -> Self:  # noqa: ANN401
        """See :meth:`sqlite3.Cursor.executemany`."""
        with self.lock, translate_errors(self.path):
            return super().executemany(*args)

    def __next__(self) -> Any:  # noqa: ANN401
        try:  # not translate_errors: this is called for every row
            with self.lock:
                return super().__next__()
        except sqlite3.DatabaseError as error:
            raise translate_error(error, self.path) from error

    def fetchone(self) -> Any:  # noqa: ANN401
        """See :meth:`sqlite3.Cursor.fetchone`."""
        with self.lock, translate_errors(self.path):
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        """See :meth:`sqlite3.Cursor.fetchall`."""
        with self.lock, translate_errors(self.path):
            return super().fetchall()


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Translate SQLite's exceptions into library errors."""
    try:
        yield
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # in a column name, say
        raise translate_error(error, path) from error


def translate_error(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> BaseException:
    """Translate SQLite's error into a library error; programming errors are returned unchanged."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):
        return error
    name: str = getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")  # invalid UTF-8
    if name.startswith("SQLITE_INTERRUPT"):
        return KeyboardInterrupt()  # Ctrl-C, which SQLite swallowed
    if name.startswith("SQLITE_NOTADB") or "no such table: meta" in str(error):
        return LibraryDamaged(
            f"{path} is not a rag library ({error}); "
            "restore it from a copy, or index into another folder: --library DIR"
        )
    if name.startswith(_DAMAGE):
        return LibraryDamaged(
            f"{path} is damaged ({error}); rag verify says what exactly; restore it from a copy "
            "(rag import), or index your documents into another folder: --library DIR"
        )
    if name.startswith(_OCCUPIED):
        return LibraryBusy(
            f"another process is writing to {path.parent}; try again when it is done"
        )
    kind = LibraryError
    if not may_write(path.parent) and _has_journal(path):
        trouble = f"can't be read as it is ({error}): the last writer did not finish, and only a"
        remedy = "user with write permission can do that; run rag status once as such a user"
    elif name == "SQLITE_READONLY" and may_write(path.parent) and may_write(path):
        # It was opened in this way because there was no space for its journal.
        kind = DiskFull
        trouble = "can't be written (its disk was full when it was opened); make"
        remedy = "room there (check the disk's space), then run it again"
    else:
        kind = DiskFull if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_SHM")) else LibraryError
        trouble = f"can't be written or read ({error}); check the disk's space and the folder's"
        remedy = "permissions, then run it again"
    return kind(f"{path.parent} {trouble} {remedy}")


def _has_journal(path: Path) -> bool:
    """Whether there is a journal that is not empty, or that a writer has open."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except OSError:
        return False
