"""Archives: ZIP, TAR, and files compressed with gzip, bzip2 or xz.

Members are read one by one, in memory; nothing is written to disk. Members that can't be documents
(folders, hidden files, system files) are skipped silently; dangerous or damaged ones yield a
Failure whose source is the member's name.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import IO, TypeAlias

from rag.documents.content import Content, stream_of
from rag.documents.detection import is_ignored
from rag.documents.loaded import Member
from rag.documents.mojibake import most_plausible
from rag.errors import LoadError
from rag.types import Failure

_MIB = 1 << 20
_LARGEST = 512 * _MIB
"""Maximum member size, in bytes."""

_MOST_MEMBERS = 100_000
_XZ_MEMORY = 256 * _MIB
"""Memory limit for unpacking xz, in bytes; its best setting needs 65 MiB."""

_CHUNK = 1 << 16
_BITE = 1 << 12
_MOST_BEYOND = 100
_BLOCK = 512
"""Size of a tar header, in bytes."""

_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
_ENCRYPTED = 0x1
_IN_UTF_8 = 0x800

_NAMES_IN = (
    *("cp437", "cp850", "cp1252", "cp852", "cp866", "cp1251"),
    *("cp932", "gb18030", "big5", "cp949"),
)
"""Encodings of member names to choose from, the one of the standard first."""
_MOST_NAMES = 1_000

_DRIVE = re.compile(r"[A-Za-z]:")

_TOO_LARGE = f"it is larger than {_LARGEST // _MIB} MiB; unpack it and index it by itself"
_TOO_MUCH = (
    "it unpacks to far more than its size, like a decompression bomb; "
    "if it is harmless, unpack it into a folder and index that"
)
_TOO_MANY = f"it holds more than {_MOST_MEMBERS:,} files; unpack it into a folder and index that"
_OUTSIDE = "its path leads outside the archive, so it was skipped"
_LINK = "it is a link, and links in archives aren't followed"
_DEVICE = "it is a device, not a file"
_PROTECTED = "it is protected by a password; unpack it and index it by itself"
_CUT = "the archive is damaged or cut off; get it again"

_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, struct.error),
)
"""Errors the standard library raises for damaged or unsupported archives."""


def max_unpacked_size(size: int) -> int:
    """Maximum decompressed bytes for a file of ``size`` bytes: far above any archive of documents,
    far below a decompression bomb.
    """
    return max(64 * _MIB, min(200 * size, 4096 * _MIB + 5 * size))


def members_of_zip(data: Content) -> Iterator[Member | Failure]:
    """Yield the files in a ZIP archive; raises LoadError if it isn't one or is truncated."""
    try:
        archive = zipfile.ZipFile(stream_of(data))
    except _DAMAGE as error:
        raise LoadError(_CUT) from error
    with archive:
        entries = archive.infolist()
        if len(entries) > _MOST_MEMBERS:
            raise LoadError(_TOO_MANY)
        left = max_unpacked_size(len(data))
        encoding = _encoding_of_names(entries)
        for entry in entries:
            name = _normalize_name(_zip_name(entry, encoding))
            if _is_ignored_member(name) or entry.is_dir():  # which fails on an empty name
                continue
            mode = entry.external_attr >> 16
            refusal = _refusal(
                name,
                entry.file_size,
                is_link=stat.S_ISLNK(mode),
                is_file=stat.S_IFMT(mode) in (0, stat.S_IFREG),
            )
            if entry.flag_bits & _ENCRYPTED:
                refusal = refusal or _PROTECTED
            if refusal:
                yield Failure(name, refusal)
                continue
            try:
                with _open_member(archive, entry, data) as file:
                    content = _read(file, left)
            except _DAMAGE as error:
                yield Failure(name, _damage_error(error))
                continue
            left -= len(content)
            yield Member(name, content)


def _zip_name(entry: zipfile.ZipInfo, encoding: str) -> str:
    """Member name with forward slashes. Many programs forget to say that it is in UTF-8, or use the
    encoding of their system, ``encoding``.
    """
    name = entry.filename
    if written := _undeclared(entry):
        try:
            name = written.decode("utf-8")
        except UnicodeDecodeError:
            name = written.decode(encoding, "replace")
    return name.replace("\\", "/")


def _undeclared(entry: zipfile.ZipInfo) -> bytes:
    """A member name as written, if its encoding isn't declared; else empty."""
    try:
        return b"" if entry.flag_bits & _IN_UTF_8 else entry.filename.encode("cp437")
    except UnicodeEncodeError:  # from Python 3.12 on, from Info-ZIP's extra field of Unicode names
        return b""


def _encoding_of_names(entries: Iterable[zipfile.ZipInfo]) -> str:
    """The encoding of all names that are neither ASCII nor UTF-8."""
    names: list[bytes] = []
    for entry in islice(entries, _MOST_NAMES):
        written = _undeclared(entry)
        try:
            written.decode("utf-8")
        except UnicodeDecodeError:
            names.append(written)
    return most_plausible(b"\n".join(names), _NAMES_IN, is_name=True) or "cp437"


def _open_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, data: Content) -> IO[bytes]:
    if entry.compress_type != zipfile.ZIP_BZIP2:
        return archive.open(entry)
    # zipfile decompresses each chunk as a whole, and bzip2 can pack gigabytes of zeros into one.
    lengths = data[entry.header_offset + 26 : entry.header_offset + 30]
    start = entry.header_offset + 30 + sum(struct.unpack("<HH", lengths))
    packed = stream_of(data, start, start + entry.compress_size)
    return io.BufferedReader(_DecompressedStream(packed, bz2.BZ2Decompressor))


def _refusal(name: str, size: int, *, is_link: bool, is_file: bool) -> str | None:
    """Why a member is refused without opening it; None if it is not."""
    reasons = (
        (_leads_outside(name), _OUTSIDE),
        (is_link, _LINK),
        (not is_file, _DEVICE),
        (size > _LARGEST, _TOO_LARGE),
    )
    return next((reason for applies, reason in reasons if applies), None)


def members_of_tar(data: Content) -> Iterator[Member | Failure]:
    """Yield the files in a TAR archive; raises LoadError if it isn't one or is truncated."""
    yield from _tar_members(stream_of(data), max_unpacked_size(len(data)))


def _tar_members(stream: io.BufferedIOBase, left: int) -> Iterator[Member | Failure]:
    count = 0
    try:
        with tarfile.open(
            fileobj=_LimitedStream(stream, left), mode="r|", bufsize=_CHUNK
        ) as archive:
            while (entry := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # or it would keep all in memory
                count += 1
                if count > _MOST_MEMBERS:
                    raise LoadError(_TOO_MANY)
                name = _normalize_name(entry.name)
                if not entry.isdir() and not _is_ignored_member(name):
                    yield _tar_member(archive, entry, name, left)
    except _DAMAGE as error:
        raise LoadError(_CUT) from error


def _tar_member(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, name: str, left: int
) -> Member | Failure:
    is_link = entry.issym() or entry.islnk()
    refusal = _refusal(name, entry.size, is_link=is_link, is_file=entry.isfile())
    file = None if refusal else archive.extractfile(entry)
    if file is None:
        return Failure(name, refusal or _DEVICE)
    # Not in one read: a sparse file is as large as its header says, however little is stored.
    return Member(name, _read(file, left))


def members_of_compressed(data: Content) -> Iterator[Member | Failure]:
    """Yield the file compressed with gzip, bzip2 or xz, or the members of a compressed tar; raises
    LoadError if it is neither, or damaged.
    """
    inflater = next((one for mark, one in _INFLATERS.items() if data[: len(mark)] == mark), None)
    if inflater is None:
        raise LoadError(_CUT)
    left = max_unpacked_size(len(data))
    stream = io.BufferedReader(_DecompressedStream(stream_of(data), inflater), _CHUNK)
    try:
        is_tar = stream.peek(_BLOCK)[_TAR_MARK_AT:].startswith(_TAR_MARK)
        if not is_tar:
            yield Member("", _read(stream, left))
            return
    except _DAMAGE as error:
        raise LoadError(_CUT) from error
    yield from _tar_members(stream, left)


def _read(file: IO[bytes], left: int) -> bytes:
    """Read a whole file; raises LoadError if it exceeds ``left`` or the safe limit."""
    most = min(left, _LARGEST)
    content = io.BytesIO()  # getvalue() makes no copy
    # In small chunks: zipfile decompresses each chunk of LZMA as a whole, whatever its size.
    while piece := file.read(_BITE):
        content.write(piece)
        if content.tell() > most:
            raise LoadError(_TOO_MUCH if most == left else _TOO_LARGE)
    return content.getvalue()


def _damage_error(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return "its compression method isn't supported; repack it as a plain ZIP"
    return "it is damaged in the archive; get it again"


def _normalize_name(name: str) -> str:
    """Normalise a name, ``./a//b`` to ``a/b``, and make it storable whatever its bytes."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    absolute = "/" if name.startswith("/") else ""
    return (absolute + "/".join(parts)).encode("utf-8", "backslashreplace").decode()


def _leads_outside(name: str) -> bool:
    return not name or name.startswith("/") or ".." in name.split("/") or bool(_DRIVE.match(name))


def _is_ignored_member(name: str) -> bool:
    return not name or any(part != ".." and is_ignored(part) for part in name.split("/"))


class _Gunzip:
    """zlib's decompressor with the interface of bz2's and lzma's."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, max(max_length, 0))


_Inflater: TypeAlias = bz2.BZ2Decompressor | lzma.LZMADecompressor | _Gunzip
"""A decompressor of one stream."""

_INFLATERS: dict[bytes, Callable[[], _Inflater]] = {
    b"\x1f\x8b": _Gunzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY),
}
"""By the first bytes of a file."""


class _DecompressedStream(io.RawIOBase):
    """Stream of decompressed data, including concatenated streams, never decompressing more than is
    requested. The standard library's readers have no limit on the memory xz may use.
    """

    def __init__(self, packed: io.BufferedIOBase, inflater: Callable[[], _Inflater]) -> None:
        super().__init__()
        self._packed = packed
        self._new = inflater
        self._inflater = inflater()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        piece = b""
        while not piece:
            if self._inflater.eof and not self._next_stream():
                return 0
            more = self._packed.read(_CHUNK) if self._inflater.needs_input else b""
            if not more and self._inflater.needs_input and not self._inflater.eof:
                raise EOFError
            piece = self._inflater.decompress(more, len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def _next_stream(self) -> bool:
        self._packed.seek(-len(self._inflater.unused_data), io.SEEK_CUR)
        while (piece := self._packed.read(1)) == b"\0":  # streams may have padding
            pass
        self._packed.seek(-len(piece), io.SEEK_CUR)
        if piece:
            self._inflater = self._new()
        return bool(piece)


class _LimitedStream(io.RawIOBase):
    """A stream that raises LoadError after ``left`` bytes, and EOFError after repeated reads past
    its end: tarfile would otherwise read on, a few kilobytes at a time, for terabytes claimed by a
    header.
    """

    def __init__(self, stream: io.BufferedIOBase, left: int) -> None:
        super().__init__()
        self._stream, self._left = stream, left
        self._beyond = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read1(size)  # otherwise an error would lose the data read before it
        self._left -= len(piece)
        self._beyond += not piece
        if self._beyond > _MOST_BEYOND:
            raise EOFError
        if self._left < 0:
            raise LoadError(_TOO_MUCH)
        return piece
