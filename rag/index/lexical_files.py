"""Files of the lexical index: their checksums, and how to open them in a read-only folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rag.errors import LibraryDamaged
from rag.runtime import files
from rag.runtime.files import may_write

META = "meta.json"
"""Lists the files that belong together. It alone is ever replaced; others are written once."""


def digests(folder: Path, known: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 of each file of the index, by name.

    Files in ``known`` that are written only once are not read again.
    """
    return {
        path.name: known[path.name] if path.name in known and path.name != META else digest(path)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")  # locks, and a list of files to delete
    }


def copy_permissions(folder: Path, like: Path) -> None:
    """Copy another file's read permissions to the index, whose files only their owner can read."""
    (folder / META).chmod(like.stat().st_mode & 0o666)


def digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises
    ------
    LibraryDamaged
        If it can't be read.
    """
    try:
        return files.digest(path)
    except OSError as error:
        raise LibraryDamaged(f"{path} can't be read ({error.strerror})") from error


def changed_files(folder: Path, published: Mapping[str, str]) -> list[str]:
    """Names of the files that differ from their published checksums, or are missing."""
    found = []
    for name, expected in published.items():
        try:
            if digest(folder / name) != expected:
                found.append(name)
        except LibraryDamaged:
            found.append(name)
    return found


@contextmanager
def writable_view(folder: Path) -> Iterator[Path]:
    """The folder itself, or, if it is read-only, a temporary one with links to its files, since
    tantivy creates a lock file even to read. The links are not needed once tantivy has opened the
    files.

    Raises
    ------
    LibraryDamaged
        If the folder can't be listed.
    """
    if may_write(folder):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="rag-") as name:
        try:
            for path in folder.iterdir():
                if not path.name.startswith("."):
                    os.symlink(path, Path(name) / path.name)  # noqa: PTH211 (as absolute as it is)
        except OSError as error:
            raise LibraryDamaged(f"{folder} can't be read ({error.strerror})") from error
        yield Path(name)
