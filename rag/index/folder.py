"""A library's folder: where its store is, how it is created, and the lock for one writer at a time.

At first the store and its indexes lie in the folder itself. Re-encoding the library
(:mod:`rag.ingest.reencoding`) makes others in a subfolder, ``store-2``, and the next time
``store-3``; the newest counts. So one rename replaces them all.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import LibraryBusy, LibraryNotFound
from rag.index.sqlite.database import Database
from rag.runtime.files import open_file, writing
from rag.runtime.heartbeat import INTERVAL, Beat, no_heartbeat

if TYPE_CHECKING:
    from filelock import FileLock

SECONDS_TO_WAIT = 10.0
"""Seconds that a writer waits for another one to finish."""

STORE = "library.db"
"""The file that holds everything that isn't derived."""

DERIVED = (f"{STORE}-wal", f"{STORE}-shm", "published.json", "vectors-*", "words")
"""Patterns of what lies beside it: SQLite's journal and the indexes."""

_NUMBERED = re.compile(r"store-(\d+)")

HOLDER = "lock.json"
"""File that says who holds the lock, for display only. The lock itself is the system's, on the file
``lock``, and is released when its process ends, however that ends. A stale file is never shown,
since it is read only while the lock is held, and whoever acquires the lock overwrites it."""


def store_folder(folder: Path) -> Path:
    """Where the store and the indexes of the library in a folder are; there need not be any."""
    return _stores(folder)[-1]


def next_store(folder: Path) -> Path:
    """Where those that replace them will be."""
    *_, newest = _stores(folder)
    found = _NUMBERED.fullmatch(newest.name) if newest != folder else None
    return folder / f"store-{int(found[1]) + 1 if found else 2}"


def remove_superseded(folder: Path) -> None:
    """Delete earlier stores and their indexes. The caller must hold the writer's lock."""
    *earlier, _ = _stores(folder)
    for store in earlier:
        if store != folder:
            shutil.rmtree(store, ignore_errors=True)
            continue
        for path in (one for name in (STORE, *DERIVED) for one in store.glob(name)):
            # Windows can't delete a file that a reader has open: the next writer does.
            with suppress(PermissionError):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _stores(folder: Path) -> list[Path]:
    """All places of a store, the newest last."""
    names: list[str] = []
    with suppress(OSError):  # there is none, or only its owner may list it
        names = os.listdir(folder)  # noqa: PTH208 (a tenth of the time, and for every question)
    numbers = sorted(int(found[1]) for name in names if (found := _NUMBERED.fullmatch(name)))
    return [folder, *(folder / f"store-{number}" for number in numbers)]


@contextmanager
def locked(
    folder: Path,
    seconds: float = SECONDS_TO_WAIT,
    *,
    beat: Beat = no_heartbeat,
    create: bool = False,
) -> Iterator[None]:
    """Lock out other writers, in this process and in others; ``create`` if there need not be a
    library yet.

    Raises LibraryNotFound if the library is gone, since writing would create something else in its
    place, and LibraryBusy, saying who, if another one is still writing after ``seconds``.
    """
    from filelock import FileLock

    if not create and not (store_folder(folder) / STORE).exists():
        raise LibraryNotFound(
            f"the library in {folder} is gone; put the folder back, or mount its disk again"
        )
    lock = FileLock(folder / "lock")
    with writing(folder):
        until = time.monotonic() + seconds
        while not _acquire(lock, min(seconds, INTERVAL)):
            if time.monotonic() >= until:
                raise LibraryBusy(
                    f"another process is writing to {folder}{_holder(folder)}; "
                    "try again when it is done"
                )
            beat()
    try:
        _write_holder(folder)
        yield
    finally:
        # Must be gone before the lock is released; if that fails, the next holder overwrites it.
        with suppress(OSError):
            (folder / HOLDER).unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, seconds: float) -> bool:
    from filelock import Timeout

    with suppress(Timeout):
        lock.acquire(timeout=seconds)
    return lock.is_locked


def _write_holder(folder: Path) -> None:
    since = dt.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    signed = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    with suppress(OSError):  # the disk may be full
        (folder / HOLDER).write_text(json.dumps(signed))


def _holder(folder: Path) -> str:
    """A description of who holds the lock, as far as known."""
    try:
        with open_file(folder / HOLDER) as file:
            found = json.load(file)
        return f" (process {found['pid']} on {found['host']}, since {found['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def create_library(folder: Path, fingerprint: str) -> None:
    """Create an empty library in a folder, for the model with this fingerprint; raises
    LibraryNotFound if the folder holds anything else.
    """
    if folder.exists() and not all(_is_unfinished(found) for found in folder.iterdir()):
        raise LibraryNotFound(
            f"{folder} contains other files but no library; name a new folder: --library DIR"
        )
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, create=True):
        if not (folder / STORE).exists():
            with writing(folder):
                Database.create(folder / STORE, fingerprint)


def _is_unfinished(found: Path) -> bool:
    """Whether a crash while creating a library may have left this file: a draft or its journal."""
    return found.name in {"lock", HOLDER} or found.name.startswith(STORE)
