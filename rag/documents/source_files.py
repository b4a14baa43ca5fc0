"""Locate the file a document was read from, and check whether it is unchanged."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rag.runtime.files import digest
from rag.types import Document

Why: TypeAlias = Literal["inside", "changed", "gone"]
"""Why a document's own file can't be shown: it is inside another file, its content has changed, or
it can't be found or read."""

_REMEMBERED = 1000
_PACKED = frozenset({".gz", ".bz2", ".xz", ".tgz", ".tbz2", ".txz"})
"""Suffixes of files that wrap exactly one other file."""

_State: TypeAlias = tuple[Path, int, int, int]


@dataclass(frozen=True, slots=True)
class MissingFile:
    """The file is unavailable; ``reason`` explains why, without exposing any path."""

    why: Why
    reason: str


class SourceFiles:
    """Finds documents' files and caches digests of unchanged files. Thread-safe."""

    def __init__(self) -> None:
        self._digests: dict[_State, str] = {}  # oldest first
        self._changing = threading.Lock()

    def find(self, document: Document, sources: Iterable[str]) -> Path | MissingFile:
        """The first source file that still has the document's content, or the reason there is
        none.
        """
        missing: list[MissingFile] = []
        for source in sources:
            found = self._check(Path(source), document.digest)
            if isinstance(found, Path):
                return found
            missing.append(found)
        # A source that is reachable by opening an archive is a better answer than one that is gone.
        order: list[Why] = ["inside", "changed", "gone"]
        return min(missing, key=lambda one: order.index(one.why))

    def _check(self, source: Path, digest: str) -> Path | MissingFile:
        try:
            if not _is_file(source):
                return _elsewhere(source)
            if self._digest(source) == digest:
                return source
        except OSError as error:
            reason = error.strerror or "unknown error"
            return MissingFile("gone", f"its file {source.name} can't be read: {reason}")
        if source.suffix.lower() in _PACKED:
            return MissingFile("inside", f"it is inside {source.name}; unpack that file to open it")
        return MissingFile(
            "changed", f"its file {source.name} has changed since it was read; index it again"
        )

    def _digest(self, path: Path) -> str:
        """SHA-256 of the file's content, recomputed when the file seems to have changed."""
        state = path.stat()
        key = (path, state.st_ino, state.st_size, state.st_mtime_ns)
        with self._changing:
            known = self._digests.get(key)
        if known is None:
            known = digest(path)
            with self._changing:
                self._digests[key] = known
                while len(self._digests) > _REMEMBERED:
                    del self._digests[next(iter(self._digests))]
        return known


def _elsewhere(source: Path) -> MissingFile:
    """Explain where a document without a file of its own is: inside a container, or gone.

    ``letters.zip/2024/may.pdf`` is inside ``letters.zip``, if that is a file.
    """
    for holder in source.parents:
        if _is_file(holder):
            inner = source.relative_to(holder).as_posix()
            return MissingFile("inside", f"it is inside {holder.name}, as {inner}; open it there")
    return MissingFile("gone", f"its file {source.name} no longer exists; index its folder again")


def _is_file(path: Path) -> bool:
    """Whether the file exists; paths inside containers may not be valid file names."""
    try:
        return path.is_file()
    except OSError:  # too long, or in a folder without permission
        return False
