"""Connections to one SQLite file, where it can be written and where it can't; what goes wrong with
it, in words.

Where the folder can't be written, SQLite can't share its journal with anyone. If there is no
journal, the file alone is all there is, and is opened as one that does not change; should a writer
with more rights begin after that, or the file be another one, the connection is made anew. If there
is one, and a writer has it open, it is read along.

A connection outlives the name of its file. So each use looks whether the file is still there and
still the same: otherwise a library that was removed would go on answering, and one that was put
back would not be seen.
"""

from __future__ import annotations

import sqlite3
import sys
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
"""Which file was opened: its device and inode. Of one that can't be written, also its size, the
time of its last change, and whether there was a journal."""


def seen(path: Path, *, unchanging: bool = False) -> Seen:
    """What the file looks like now; in full where it can't be written, or is read as one that
    doesn't change.

    Raises
    ------
    LibraryNotFound
        If it is gone: its folder was moved or removed, or its disk unmounted.
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


def connected(path: Path) -> Connection:
    """A connection that any thread may close.

    Raises
    ------
    LibraryError
        If the file can't be opened.
    """
    if special := special_in(path.with_name(path.name + end) for end in ("", "-wal", "-shm")):
        raise LibraryDamaged(f"{special}: {SPECIAL}; name another library: --library DIR")
    with in_words(path):
        # Never mode=rwc: a library that vanished is an error, not a new empty file.
        if not may_write(path.parent):
            connection = _opened(path, "mode=ro" if _has_journal(path) else _UNCHANGING)
        else:
            try:
                connection = _opened(path, "mode=rw")
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith(_NO_ROOM):
                    raise
                # The files beside it, by which processes share a journal, can't be made. Where
                # there is a journal, the processor's memory serves, and other processes wait.
                mode = "mode=rw&vfs=unix-excl" if _has_journal(path) else _UNCHANGING
                connection = _opened(path, mode)
                connection.makeshift = True
    _distrust(connection)
    # FULL: what was committed survives a power cut, too.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("casefold", 1, str.casefold, deterministic=True)
    connection.create_function("plain", 1, plain, deterministic=True)
    connection.create_function("whole_source", 1, whole_source, deterministic=True)
    return connection


def _opened(path: Path, mode: str) -> Connection:
    """A connection by which the file could be read.

    Raises
    ------
    sqlite3.DatabaseError
        If it could not.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    connection.path = path
    try:
        super(Connection, connection).execute("SELECT 1 FROM sqlite_schema").close()
    except BaseException:
        connection.close()
        raise
    return connection


def _distrust(connection: Connection) -> None:
    """Let the schema, which may come from a stranger, call nothing that could have an effect."""
    connection.execute("PRAGMA trusted_schema = OFF")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE)
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_TRIGGER, enable=False)
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_VIEW, enable=False)


class Connection(sqlite3.Connection):
    """A connection whose errors are the library's."""

    path: Path
    makeshift = False
    """Whether it was opened without the files beside it, for which there was no room."""

    def cursor(self, factory: object = None) -> Cursor:  # type: ignore[override]
        """Every statement goes through one."""
        del factory
        found = super().cursor(Cursor)
        found.path = self.path
        return found

    def execute(self, *args: Any) -> Cursor:  # noqa: ANN401
        """As sqlite3 has it, which would take its own cursor."""
        return self.cursor().execute(*args)

    def executemany(self, *args: Any) -> Cursor:  # noqa: ANN401
        """As sqlite3 has it, which would take its own cursor."""
        return self.cursor().executemany(*args)


class Cursor(sqlite3.Cursor):
    """Results whose errors are the library's."""

    path: Path

    def execute(self, *args: Any) -> Self:  # noqa: ANN401
        """As sqlite3 has it."""
        with in_words(self.path):
            return super().execute(*args)

    def executemany(self, *args: Any) -> Self:  # noqa: ANN401
        """As sqlite3 has it."""
        with in_words(self.path):
            return super().executemany(*args)

    def __next__(self) -> Any:  # noqa: ANN401
        try:  # not in_words: this is called for every row
            return super().__next__()
        except sqlite3.DatabaseError as error:
            raise told(error, self.path) from error

    def fetchone(self) -> Any:  # noqa: ANN401
        """As sqlite3 has it."""
        with in_words(self.path):
            return super().fetchone()

    def fetchall(self) -> list[Any]:
        """As sqlite3 has it."""
        with in_words(self.path):
            return super().fetchall()


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Raise what SQLite raises as an error of the library's."""
    try:
        yield
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # of a column's name, say
        raise told(error, path) from error


def told(error: sqlite3.Error | UnicodeDecodeError, path: Path) -> BaseException:
    """What SQLite's error means for a library; errors of a program that misuses it stay."""
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.IntegrityError):
        return error
    name: str = getattr(error, "sqlite_errorname", "SQLITE_CORRUPT")  # text that is no UTF-8
    if name.startswith("SQLITE_INTERRUPT"):
        return KeyboardInterrupt()  # Ctrl-C while SQLite was at work: it ate the exception
    if name.startswith("SQLITE_NOTADB") or "no such table: meta" in str(error):
        return LibraryDamaged(
            f"{path} is no library of rag ({error}); "
            "restore it from a copy, or index into another folder: --library DIR"
        )
    if name.startswith(_DAMAGE):
        return LibraryDamaged(
            f"{path} is damaged ({error}); rag verify says what is; restore it from a copy (rag "
            "import), or index your documents into another folder: --library DIR"
        )
    if name.startswith(_OCCUPIED):
        return LibraryBusy(
            f"another process is writing to {path.parent}; try again when it is done"
        )
    kind = LibraryError
    if not may_write(path.parent) and _has_journal(path):
        said = (
            f"can't be read as it is ({error}): who wrote to it last did not finish, and only who"
        )
        then = "may write can do that; run rag status once with the right to write there"
    elif name == "SQLITE_READONLY" and may_write(path.parent) and may_write(path):
        # It was opened like this, since there was no room for its journal.
        kind = DiskFull
        said = "can't be written (its disk was full when it was opened); make"
        then = "room there (check the disk's space), then run it again"
    else:
        kind = DiskFull if name.startswith(("SQLITE_FULL", "SQLITE_IOERR_SHM")) else LibraryError
        said = f"can't be written or read ({error}); check the disk's space and the folder's"
        then = "permissions, then run it again"
    return kind(f"{path.parent} {said} {then}")


def _has_journal(path: Path) -> bool:
    """Whether there is a journal with something in it, or with a writer at it."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except OSError:
        return False
