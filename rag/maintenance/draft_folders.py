"""Draft folders for unfinished work, with cleanup after killed processes.

A draft is a sibling of its target, so that its content can be moved to the target by an atomic
rename. Its process holds a lock in it: a draft with a free lock was left by a process that died.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import LibraryBusy

_NAME = re.compile(r"\.rag-(export|import|copy)-[0-9a-f]{16}")
_LOCK = "lock"


@contextmanager
def draft_of(target: Path, purpose: str, busy: str) -> Iterator[Path]:
    """Create an empty folder beside the target, accessible by this user only; removed at exit.

    Drafts of the same purpose that killed processes left beside the target are removed first.

    Parameters
    ----------
    purpose
        ``export``, ``import`` or ``copy``.
    busy
        The error message if another process is working on a draft of the same target.

    Raises
    ------
    LibraryBusy
        If another process is working on a draft of the same target.
    OSError
        If it can't be created.
    """
    name = hashlib.sha256(target.name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    draft = target.with_name(f".rag-{purpose}-{name}")
    _remove_leftovers(target.parent, purpose)
    draft.mkdir(mode=0o700, exist_ok=True)
    lock = FileLock(draft / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LibraryBusy(busy) from error
    try:
        yield draft
    finally:
        _remove(draft, lock)


def _remove_leftovers(parent: Path, purpose: str) -> None:
    for left in parent.glob(f".rag-{purpose}-*"):
        if not _NAME.fullmatch(left.name) or left.is_symlink() or not left.is_dir():
            continue
        with suppress(OSError, Timeout):  # another user's, or in use
            lock = FileLock(left / _LOCK)
            lock.acquire(timeout=0)
            _remove(left, lock)


def _remove(draft: Path, lock: FileLock) -> None:
    shutil.rmtree(draft, ignore_errors=True)
    lock.release()
    with suppress(OSError):  # Windows keeps the lock file while it is open
        shutil.rmtree(draft)
