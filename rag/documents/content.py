"""File contents: read into memory if small, memory-mapped if large."""

from __future__ import annotations

import hashlib
import io
import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from rag.runtime.files import open_file

Content: TypeAlias = bytes | mmap.mmap
"""A file's bytes, read or memory-mapped. A mapping takes no memory of its own: the system loads
pages on access and evicts them under memory pressure. Slices are bytes, and ``len``, ``find``,
regular expressions and digests work as on bytes; ``in``, ``startswith`` and ``decode`` don't. A
process that accesses a part that another process has truncated is killed (SIGBUS)."""

LARGE = 8 << 20
"""Size in bytes from which files are mapped; smaller ones fit in memory, where they are safer."""

PIECE = 1 << 18
"""Chunk size in bytes when scanning a whole file."""

_BUFFER = 1 << 16


def content_of(path: Path) -> Content:
    """Read or map the file at ``path``; raises OSError if it can't be opened, and MemoryError if it
    can be neither mapped nor read.
    """
    if path.stat().st_size < LARGE:
        with open_file(path) as file:
            return file.read()
    with open_file(path) as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):
            # Not every file system supports mapping, and the file may just have been truncated.
            return file.read()


def whole(content: Content) -> bytes:
    """The whole content as bytes; raises MemoryError if it is too large."""
    return content if isinstance(content, bytes) else content[:]


def pieces_of(content: Content, start: int = 0) -> Iterator[bytes]:
    """Yield chunks from ``start`` to the end; a mapping needs memory for one chunk only."""
    for at in range(start, len(content), PIECE):
        yield content[at : at + PIECE]
        release(content)


def digest_of(content: Content) -> str:
    """SHA-256 of the content, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces_of(content):
        digest.update(piece)
    return digest.hexdigest()


def release(content: Content) -> None:
    """Let the system reclaim the memory of a mapping's pages; they stay readable."""
    if not isinstance(content, bytes) and hasattr(mmap, "MADV_DONTNEED"):  # not on Windows
        content.madvise(mmap.MADV_DONTNEED)


def stream_of(
    content: Content, start: int = 0, end: int | None = None
) -> io.BytesIO | io.BufferedReader:
    """The bytes from ``start`` to ``end`` (default: to the end of the file) as a seekable
    stream.
    """
    if isinstance(content, bytes):
        return io.BytesIO(content[start:end])
    first, last, _ = slice(start, end).indices(len(content))
    return io.BufferedReader(_Stretch(content, first, max(first, last)), _BUFFER)


class _Stretch(io.RawIOBase):
    """The bytes of a mapping from ``start`` to ``end``; seeks like ``BytesIO``."""

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
