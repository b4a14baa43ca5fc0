"""The bytes of a file: read or, where they are many, left on the disk and looked at there."""

from __future__ import annotations

import hashlib
import io
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from rag.runtime.files import open_file

Content: TypeAlias = bytes | mmap.mmap
"""The bytes of a file, read or mapped. A mapping takes no memory of its own: the system fetches
the stretches that are looked at, and drops them when it needs the room. Slices of it are bytes, and
``len``, ``find``, patterns and digests work on it as on these; ``in``, ``startswith`` and
``decode`` don't. A process that looks at a file of which another has cut off that stretch is
killed (SIGBUS)."""

LARGE = 8 << 20
"""Bytes from which on a file is mapped: smaller ones are safer read, and fit in memory."""

PIECE = 1 << 18
"""Bytes that are looked at together where a file is gone through from its beginning to its end."""

_BUFFER = 1 << 16


def content_of(path: Path) -> Content:
    """What is in the file at ``path``; raises OSError where it can't be opened, and MemoryError
    where it can neither be mapped nor read.
    """
    if path.stat().st_size < LARGE:
        with open_file(path) as file:
            return file.read()
    with open_file(path) as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            # Not every file system maps, and a file may have lost what it held a moment ago.
            return file.read()


def whole(content: Content) -> bytes:
    """All of it as bytes; raises MemoryError where it is too much."""
    return content if isinstance(content, bytes) else content[:]


def pieces_of(content: Content, start: int = 0) -> Iterator[bytes]:
    """The bytes from ``start`` to the end, piece by piece; a mapping takes memory for one only."""
    for at in range(start, len(content), PIECE):
        yield content[at : at + PIECE]
        release(content)


def digest_of(content: Content) -> str:
    """The SHA-256 of all bytes, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces_of(content):
        digest.update(piece)
    return digest.hexdigest()


def release(content: Content) -> None:
    """Let the system have the memory that a mapping's pages take; they can still be read."""
    if not isinstance(content, bytes) and hasattr(mmap, "MADV_DONTNEED"):  # Windows has none
        content.madvise(mmap.MADV_DONTNEED)


def stream_of(
    content: Content, start: int = 0, end: int | None = None
) -> io.BytesIO | io.BufferedReader:
    """The bytes from ``start`` up to ``end``, or to the last, as a stream that can seek."""
    if isinstance(content, bytes):
        return io.BytesIO(content[start:end])
    first, last, _ = slice(start, end).indices(len(content))
    return io.BufferedReader(_Stretch(content, first, max(first, last)), _BUFFER)


class _Stretch(io.RawIOBase):
    """The bytes of a mapping from ``start`` up to ``end``; seeking goes as in a ``BytesIO``."""

    def __init__(self, content: mmap.mmap, start: int, end: int) -> None:
        super().__init__()
        self._content, self._start, self._end = content, start, end
        self._at = self._released = start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: self._start, io.SEEK_CUR: self._at, io.SEEK_END: self._end}[whence]
        self._at = max(self._start, origin + offset)
        return self._at - self._start

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = self._content[self._at : min(self._at + len(buffer), self._end)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        if abs(self._at - self._released) > PIECE:
            release(self._content)
            self._released = self._at
        return len(piece)
