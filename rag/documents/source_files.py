"""The file that a document was read from: where it lies, and whether it is still the same."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rag.runtime.files import digest
from rag.types import Document

Why: TypeAlias = Literal["inside", "changed", "gone"]
"""Why a document has no file of its own to show: it lies inside of another, its file has other
content by now, or can't be found or read."""

_REMEMBERED = 1000
_PACKED = frozenset({".gz", ".bz2", ".xz", ".tgz", ".tbz2", ".txz"})
"""Endings of files that hold one other file and nothing besides."""

_State: TypeAlias = tuple[Path, int, int, int]


@dataclass(frozen=True, slots=True)
class Original:
    """A file whose content is that of a document."""

    path: Path


@dataclass(frozen=True, slots=True)
class Astray:
    """There is no such file; ``reason`` says so to a person, with no path of the machine in it."""

    why: Why
    reason: str


class Originals:
    """Finds the files of documents, and remembers the digests of those that did not change since.

    Any number of threads may ask.
    """

    def __init__(self) -> None:
        self._digests: OrderedDict[_State, str] = OrderedDict()
        self._changing = threading.Lock()

    def find(self, document: Document, sources: Iterable[str]) -> Original | Astray:
        """The first file among the sources that still has the document's content, or why none."""
        astray: list[Astray] = []
        for source in sources:
            found = self._found(Path(source), document.digest)
            if isinstance(found, Original):
                return found
            astray.append(found)
        # What can still be got at, by opening an archive, says more than what has gone.
        order: list[Why] = ["inside", "changed", "gone"]
        return min(astray, key=lambda one: order.index(one.why))

    def _found(self, source: Path, digest: str) -> Original | Astray:
        try:
            if not _is_file(source):
                return _elsewhere(source)
            if self._digest(source) == digest:
                return Original(source)
        except OSError as error:
            reason = error.strerror or "unknown error"
            return Astray("gone", f"its file {source.name} can't be read: {reason}")
        if source.suffix.lower() in _PACKED:
            return Astray("inside", f"it lies inside {source.name}; unpack that file to get at it")
        return Astray(
            "changed", f"its file {source.name} has changed since it was read; index it again"
        )

    def _digest(self, path: Path) -> str:
        """The SHA-256 of the file's content, worked out again when the file looks changed."""
        state = path.stat()
        key = (path, state.st_ino, state.st_size, state.st_mtime_ns)
        with self._changing:
            known = self._digests.get(key)
        if known is None:
            known = digest(path)
            with self._changing:
                self._digests[key] = known
                while len(self._digests) > _REMEMBERED:
                    self._digests.popitem(last=False)
        return known


def _elsewhere(source: Path) -> Astray:
    """Where a document lies that has no file of its own: below the file that holds it, or nowhere.

    ``letters.zip/2024/may.pdf`` lies in ``letters.zip``, if that is a file.
    """
    for holder in source.parents:
        if _is_file(holder):
            inner = source.relative_to(holder).as_posix()
            return Astray("inside", f"it lies inside {holder.name}, as {inner}; open it there")
    return Astray("gone", f"its file {source.name} is not there any more; index its folder again")


def _is_file(path: Path) -> bool:
    """Whether there is such a file; names of what lies inside files may be no names of files."""
    try:
        return path.is_file()
    except OSError:  # too long, or in a folder where nobody may look
        return False
