"""Names of files, and writing them so that a crash leaves the old or the new, never half."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rag.errors import LibraryError


def absolute(path: str | Path) -> Path:
    """The path from the root, ``~`` and ``..`` worked out; links keep the name people know."""
    return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100 (resolve follows links)


def is_url(path: str | Path) -> bool:
    """Whether this names a place by a URL, such as ``s3://bucket/prefix``, and no folder."""
    return re.match(r"[a-z][a-z0-9+.-]+://", str(path)) is not None


def on_this_machine(place: str | Path) -> Path | None:
    """The folder that a place is, or that its URL names; None where it is elsewhere."""
    if isinstance(place, Path):
        return place
    if not place.startswith("file:"):
        return None
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    return Path(url2pathname(urlsplit(place).path))


def may_read(path: Path) -> bool:
    """Whether this process may read a file; root may, whatever its owner says."""
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)


def may_write(folder: Path) -> bool:
    """Whether this process may make files in a folder; root may, unless the medium is read-only."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def printable(path: Path | str) -> str:
    """A path as it can be shown and stored, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()


def size_of(folder: Path) -> int:
    """How many bytes the files in a folder have; those that go meanwhile have none."""
    size = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.stat(os.path.join(inner, name)).st_size  # noqa: PTH116, PTH118 (many)
    return size


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Write a file that after a crash or power loss is there whole or not at all."""
    with draft_of(path) as draft:
        draft.write_bytes(content)


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """The path of a draft to be written in the block; at its end it is there whole as ``path``."""
    draft = path.with_name(path.name + ".draft")
    yield draft
    with draft.open("r+b") as file:
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable, where the system needs to be told."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise what the system says against writing to a library's folder as the library's error."""
    try:
        yield
    except OSError as error:
        raise LibraryError(
            f"{folder} can't be written ({error.strerror or error}); "
            "check the disk's space and the folder's permissions, then run it again"
        ) from error
