"""A library's folder: made once, and written by one process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import LibraryBusy, LibraryNotFound
from rag.store import Database

SECONDS_TO_WAIT = 10.0
"""How long a writer waits for another one to finish."""


@contextmanager
def locked(folder: Path, seconds: float = SECONDS_TO_WAIT) -> Iterator[None]:
    """Keep other writers out, in this process and in others.

    Raises
    ------
    LibraryBusy
        If another one still writes after so many seconds.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=seconds)
    except Timeout as error:
        raise LibraryBusy(
            f"another process is writing to {folder}; try again when it is done"
        ) from error
    try:
        yield
    finally:
        lock.release()


def make(folder: Path, fingerprint: str) -> None:
    """Put an empty library into a folder, for the model with this fingerprint.

    Raises
    ------
    LibraryNotFound
        If the folder holds anything else.
    """
    if folder.exists() and not all(_is_begun(found) for found in folder.iterdir()):
        raise LibraryNotFound(
            f"{folder} holds other files and no library; name a new folder: --library DIR"
        )
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        if not (folder / "library.db").exists():
            Database.create(folder / "library.db", fingerprint)


def _is_begun(found: Path) -> bool:
    """Whether a crash may have left it while a library was made: a draft, say, or its journal."""
    return found.name == "lock" or found.name.startswith("library.db")
