"""The files of the word index: what they held when they were published, and a way to open them
where nothing can be written.
"""

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
"""Names the files that belong together. It alone is ever replaced; the others are written once."""


def digests(folder: Path, known: Mapping[str, str]) -> dict[str, str]:
    """SHA-256 by name of each file that belongs to the index.

    Those in ``known``, that were written once, are not read again.
    """
    return {
        path.name: known[path.name] if path.name in known and path.name != META else digest(path)
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".")  # its locks, and a list of files to delete
    }


def share(folder: Path, like: Path) -> None:
    """Let those read the index who may read another file: tantivy lets only its own user."""
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


def differing(folder: Path, published: Mapping[str, str]) -> list[str]:
    """The names of the files that are not what was published, or are gone."""
    found = []
    for name, expected in published.items():
        try:
            if digest(folder / name) != expected:
                found.append(name)
        except LibraryDamaged:
            found.append(name)
    return found


@contextmanager
def openable(folder: Path) -> Iterator[Path]:
    """The folder, or, where it can't be written, one that links to its files: tantivy makes a file
    to lock by, though it only reads. Once it has opened the files it needs the links no more.

    Raises
    ------
    LibraryDamaged
        If the folder can't be looked into.
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
