"""The file of the cache: where it lies, how it is made, opened and emptied, and its room.

In the user's folder for caches::

    rag/encodings/N.db     the greatest N is the cache, the others are on their way out
    rag/encodings/lock     held while one is opened or made, for milliseconds

A new number rather than a file that is replaced: SQLite finds a file's journal by its name, so
another process that still has the old one open would write into the new one's.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from rag.errors import LibraryError

FORMAT = 1
"""Of the tables."""

SECONDS_TO_WAIT = 10.0
"""For another process, whose transactions take a fraction of one."""

PAGE_BYTES = 4096

# Contents apart from what is said of them, so that noting a use doesn't write them again.
_SCHEMA = f"""
PRAGMA page_size = {PAGE_BYTES};
PRAGMA auto_vacuum = INCREMENTAL;
BEGIN;
CREATE TABLE encoding (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE entry (
    key BLOB PRIMARY KEY,    -- hash of the model, the words and their sentences
    encoding INTEGER NOT NULL,
    used INTEGER NOT NULL    -- the run in which it was last of use; later ones are greater
) WITHOUT ROWID;
CREATE INDEX entry_used ON entry (used, encoding);
PRAGMA user_version = {FORMAT};
COMMIT;
"""


def folder() -> Path:
    """Where the user's cache lies; ``$XDG_CACHE_HOME`` decides, where it is set."""
    import platformdirs

    return platformdirs.user_cache_path("rag", appauthor=False) / "encodings"


def clear() -> None:
    """Empty the cache. A process that has it open at the time fills one that is gone.

    Raises
    ------
    LibraryError
        If the folder can't be written.
    """
    found = newest(folder())
    if found:
        try:
            opened(folder(), found)[1].close()
        except (sqlite3.Error, OSError) as error:
            raise LibraryError(
                f"the cache in {folder()} can't be emptied ({error}); check the disk's space and "
                "the folder's permissions"
            ) from error


def opened(folder: Path, besides: Path | None) -> tuple[Path, sqlite3.Connection]:
    """The newest cache in the folder; a new one where there is none, or none ``besides`` this."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    with FileLock(folder / "lock", timeout=SECONDS_TO_WAIT):
        path = newest(folder)
        is_new = path is None or path == besides
        number = (int(path.stem) if path else 0) + is_new
        # Before a new one is made: whoever empties the cache may have no room for it.
        for old in folder.glob("*.db*"):
            if old.name.partition(".")[0] != str(number):
                with suppress(PermissionError):  # Windows, while another process has it open
                    old.unlink(missing_ok=True)
        path = _made(folder, number) if is_new else folder / f"{number}.db"
        connection = connected(path)
    try:
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return path, connection


def _check(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != FORMAT:
        raise ValueError(f"its tables have format {found}, not {FORMAT}")


def _made(folder: Path, number: int) -> Path:
    """An empty cache, which nobody but the user may read: what is in it spells their documents."""
    draft = folder / "draft"
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
    finally:
        connection.close()
    return draft.rename(folder / f"{number}.db")


def newest(folder: Path) -> Path | None:
    """The cache in a folder, or None."""
    numbered = [one for one in folder.glob("*.db") if one.stem.isdecimal()]
    return max(numbered, key=lambda one: int(one.stem), default=None)


def connected(path: Path) -> sqlite3.Connection:
    """A connection to a cache that is there."""
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=SECONDS_TO_WAIT)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block's changes or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def make_room(connection: sqlite3.Connection, limit: int, wanted: int) -> bool:
    """Let the least recently used go until so many bytes fit; whether they ever do."""
    missing = size(connection, free=False) + wanted - limit
    if wanted > limit:
        return False
    while missing > 0:
        oldest = connection.execute(
            "SELECT key, encoding, length(content) FROM entry"
            " JOIN encoding ON encoding.id = entry.encoding ORDER BY used, encoding LIMIT 256"
        ).fetchall()
        if not oldest:
            return False
        for key, encoding, length in oldest:
            connection.execute("DELETE FROM encoding WHERE id = ?", (encoding,))
            connection.execute("DELETE FROM entry WHERE key = ?", (key,))
            missing -= length
            if missing <= 0:
                break
        missing = size(connection, free=False) + wanted - limit
    return True


def shrink(connection: sqlite3.Connection, limit: int) -> None:
    """Give what is free back to the disk, where the file is larger than it may be."""
    if size(connection) > limit:
        # Not execute(), which takes but the first step of it: one page.
        connection.executescript("PRAGMA incremental_vacuum")


def size(connection: sqlite3.Connection, *, free: bool = True) -> int:
    """The size of the file, with or without what is free in it."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
    return int(pages if free else pages - unused) * PAGE_BYTES


def room(content: bytes) -> int:
    """The most bytes that an encoding takes in the file."""
    return (len(content) // PAGE_BYTES + 2) * PAGE_BYTES
