"""Draft folders: what is made in one takes its name, complete, by an atomic rename."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import LibraryBusy

_DRAFT = re.compile(r"\.rag-[a-z]+-[0-9a-f]{16}")


@contextmanager
def draft_folder(target: Path, purpose: str, busy: str) -> Iterator[Path]:
    """Create an empty folder beside the target, accessible by this user only; removed at exit.

    From there the content can be moved to the target by an atomic rename. The process holds a lock
    in it: a draft of the same purpose with a free lock was left by one that died, and is removed.
    Raises LibraryBusy, with the message ``busy``, if another process is working on a draft of the
    same target.
    """
    name = hashlib.sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    draft = target.with_name(f".rag-{purpose}-{name}")
    _remove_leftovers(target.parent, purpose)
    draft.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(draft / "lock")
    while not lock.is_locked:
        # Until it is locked, another process may take it for a leftover and remove it.
        with suppress(FileExistsError, FileNotFoundError):
            try:
                lock.acquire(timeout=1)
            except Timeout as error:
                raise LibraryBusy(busy) from error
    draft.chmod(0o700)  # the lock may have made the folder
    try:
        yield draft
    finally:
        _remove(draft, lock)


def _remove_leftovers(parent: Path, purpose: str) -> None:
    for left in parent.glob(f".rag-{purpose}-*"):
        if not _DRAFT.fullmatch(left.name) or left.is_symlink() or not left.is_dir():
            continue
        with suppress(OSError, Timeout):  # another user's, or in use
            lock = FileLock(left / "lock")
            lock.acquire(timeout=0)
            _remove(left, lock)


def _remove(draft: Path, lock: FileLock) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    lock.release()
    if sys.platform == "win32":  # keeps the lock file while it is open
        shutil.rmtree(draft, ignore_errors=True)
