"""Paths, reading files safely, and writing them atomically."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from rag.errors import DiskFull, LibraryError

SPECIAL = (
    "it is not a regular file but a pipe, a socket, a device or a virtual file; "
    "name a file on a disk"
)

_MADE_UP = frozenset(
    {"bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "mqueue", "nsfs"}
    | {"proc", "pstore", "securityfs", "selinuxfs", "sysfs", "tracefs"}
)
"""Linux's virtual file systems; reading some of their files never ends."""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

_SLICE = 1 << 20
"""Bytes hashed between two heartbeats."""


def absolute(path: str | Path) -> Path:
    """The absolute path, with ``~`` and ``..`` resolved, but not symbolic links."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 (resolve follows links)


def is_url(path: str | Path) -> bool:
    """Whether this is a URL such as ``s3://bucket/prefix`` rather than a path."""
    return re.match(r"[a-z][a-z0-9+.-]+://", str(path)) is not None


def local_path(place: str | Path) -> Path | None:
    """The local folder that a path or URL refers to; None if it is remote."""
    if isinstance(place, Path):
        return place
    if not place.startswith("file:"):
        return None
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(place).path))


def may_read(path: Path) -> bool:
    """Whether this process may read a file; root may, whatever the file's permissions."""
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)


def may_write(folder: Path) -> bool:
    """Whether this process may create files in a folder; root may, except on read-only media."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def is_regular(facts: os.stat_result) -> bool:
    """Whether this is the stat result of a regular file, not of one in a virtual file system."""
    return stat.S_ISREG(facts.st_mode) and not is_virtual(facts)


def is_virtual(facts: os.stat_result) -> bool:
    """Whether a file or folder is in a virtual file system such as ``/proc``."""
    return _is_virtual_filesystem(facts.st_dev)


@lru_cache(maxsize=1024)
def _is_virtual_filesystem(device: int) -> bool:
    """Whether the mount table, if there is one, lists a device as a virtual file system."""
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
            mount, _, kind = line.partition(" - ")
            major, _, minor = mount.split()[2].partition(":")
            if os.makedev(int(major), int(minor)) == device:
                return kind.split()[0] in _MADE_UP
    return False


def open_file(path: str | Path) -> BinaryIO:
    """Open a regular file for reading. Nothing else is ever opened, so this never blocks.

    Raises
    ------
    OSError
        If it can't be opened, or is a pipe, a socket, a device, or in a file system like ``/proc``.
    """
    _refuse_special(os.stat(path), path)  # noqa: PTH116 - opening a device may do something
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _refuse_special(os.fstat(file.fileno()), path)  # it may have been replaced meanwhile
    except OSError:
        file.close()
        raise
    return file


def _refuse_special(facts: os.stat_result, path: str | Path) -> None:
    if not is_regular(facts) and not stat.S_ISDIR(facts.st_mode):  # a folder has its own error
        raise OSError(errno.EINVAL, SPECIAL, str(path))


def special_in(paths: Iterable[Path]) -> Path | None:
    """The first path that exists and is neither a regular file nor a folder, or None."""
    for path in paths:
        with suppress(OSError):
            facts = path.stat()
            if not is_regular(facts) and (not stat.S_ISDIR(facts.st_mode) or is_virtual(facts)):
                return path
    return None


def digest(path: str | Path, beat: Callable[[int, int], None] | None = None) -> str:
    """SHA-256 of a regular file, in hexadecimal. After each chunk ``beat`` is called with the bytes
    done and the total.

    Raises
    ------
    OSError
        As :func:`open_file` does, or if it can't be read.
    """
    found = hashlib.sha256()
    with open_file(path) as file:
        total = os.fstat(file.fileno()).st_size
        while content := file.read(_SLICE):
            found.update(content)
            if beat:
                beat(file.tell(), total)
    return found.hexdigest()


def printable(path: Path | str) -> str:
    """A path as valid Unicode, to be shown and stored, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def size_of(folder: Path) -> int:
    """Total size of the files in a folder, in bytes; those deleted meanwhile count as 0."""
    size = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.stat(os.path.join(inner, name)).st_size  # noqa: PTH116, PTH118 (many)
    return size


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that after a crash or power loss it is there completely or not at all."""
    with draft_of(path) as draft:
        draft.write_bytes(content)


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Path of a temporary file to write in the block, which then atomically replaces ``path``."""
    draft = path.with_name(path.name + ".draft")
    yield draft
    with draft.open("r+b") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, on systems that need an fsync for that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Translate OS errors from writing to a library's folder into library errors."""
    try:
        yield
    except OSError as error:
        kind = DiskFull if error.errno in _NO_ROOM else LibraryError
        raise kind(
            f"{folder} can't be written ({error.strerror or error}); "
            "check the disk's space and the folder's permissions, then run it again"
        ) from error
