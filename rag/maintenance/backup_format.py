"""The archive format: a ZIP file without compression, whose ``manifest.json`` has the SHA-256 and
size of every other member.

The members are the store and the uploaded files. The search indexes are not included: FAISS and
tantivy trust the files they open, a checksum in an archive proves nothing about its author, and
indexes can be rebuilt from the store. An archive may come from a stranger: names and sizes of all
members are checked before anything is written, and each member by its SHA-256.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from rag.errors import InputError, LibraryDamaged
from rag.index.integrity import OnProgress
from rag.runtime.files import open_file, printable, sync_folder

VERSION = 1
"""Version of the format; others are refused."""

MANIFEST = "manifest.json"
STORE = "library.db"

CHUNK = 1 << 20
"""Buffer size of copies, in bytes."""

MOST_MANIFEST = 64_000_000
"""Size limit in bytes, for a manifest of some 400,000 files."""

LONGEST_NAME = 255
"""Maximum length in bytes of one component of a member's name, as in file systems."""

_MEMBER = re.compile(r"library\.db|files/.+", re.DOTALL)
_UNSAFE = "\\:\0" if os.name == "nt" else "\0"
"""Characters that no name may contain, even inside our own folder."""

_DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, OverflowError, struct.error)
"""Errors of the standard library for a truncated archive, or one in another format than ours."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of ``manifest.json``; ``folder`` was the library's folder, because uploaded files
    are identified by their path.
    """

    version: int
    folder: str
    members: Mapping[str, Member]

    @property
    def size(self) -> int:
        """Size of all members in bytes."""
        return sum(one.size for one in self.members.values())


def write(archive: Path, folder: Path, files: Mapping[str, Path], on_progress: OnProgress) -> None:
    """Write an archive of these files by member name, exported from the library in ``folder``."""
    total = sum(one.stat().st_size for one in files.values())
    with archive.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as out:
            copying = _Progress(total, on_progress)
            members = {name: _add(out, name, path, copying) for name, path in files.items()}
            manifest = Manifest(VERSION, printable(folder), members)
            out.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def read(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """Open an archive whose manifest is valid and lists all members.

    Raises InputError if there is no archive of a library of this version, and LibraryDamaged if it
    is damaged, or has members that no export writes.
    """
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            manifest = _manifest(archive, path)
            if manifest.size > path.stat().st_size:
                raise damaged(path, "its members overlap")
            yield archive, manifest
    except _DAMAGE as error:
        raise damaged(path, str(error) or "it is cut short") from error
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}; name an archive made by rag export") from error
    except OSError as error:
        if error.filename is not None:
            raise InputError(f"{path}: {error.strerror}") from error
        if error.errno != errno.EINVAL:  # a member that begins before the file
            raise
        raise damaged(path, "a member is not where it should be") from error


def unpack(
    archive: zipfile.ZipFile, manifest: Manifest, target: Path, path: Path, on_progress: OnProgress
) -> None:
    """Extract all members, each verified by its SHA-256 and synced to disk before the next."""
    folders, copying = {target}, _Progress(manifest.size, on_progress)
    for name, member in manifest.members.items():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        folders |= {one for one in place.parents if one.is_relative_to(target)}
        with archive.open(name) as source, place.open("xb") as file:
            found = _copy(source, file, copying, member.size)
            file.flush()
            os.fsync(file.fileno())
        if found.sha256 != member.sha256:
            raise damaged(path, f"“{name}” doesn't match its checksum")
    for one in folders:
        sync_folder(one)


def damaged(path: Path, why: str) -> LibraryDamaged:
    """The error for a damaged archive."""
    return LibraryDamaged(f"{path} is damaged: {why}; use another copy")


class _Progress:
    """Progress of copying ``total`` bytes."""

    def __init__(self, total: int, on_progress: OnProgress) -> None:
        self._total = total
        self._on_progress = on_progress
        self._done = 0

    def add(self, more: int) -> None:
        self._done += more
        self._on_progress("copied", self._done, max(self._total, self._done))


def _add(archive: zipfile.ZipFile, name: str, path: Path, copying: _Progress) -> Member:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{printable(path)}: its name is not valid UTF-8; rename it") from error
    info = zipfile.ZipInfo(name)  # without a date, for reproducible archives
    info.external_attr = 0o600 << 16
    with open_file(path) as source, archive.open(info, "w", force_zip64=True) as target:
        return _copy(source, target, copying)


def _copy(
    source: IO[bytes], target: IO[bytes], copying: _Progress, most: int | None = None
) -> Member:
    """Copy everything, or at most that many bytes; returns the size and SHA-256."""
    digest, done = hashlib.sha256(), 0
    while chunk := source.read(CHUNK if most is None else min(CHUNK, most - done)):
        done += len(chunk)
        digest.update(chunk)
        target.write(chunk)
        copying.add(len(chunk))
    return Member(done, digest.hexdigest())


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """Read and validate the manifest, and check that it lists all members."""
    names = [one.filename for one in archive.infolist()]
    if MANIFEST not in names:
        raise InputError(f"{path} is not a library archive; make one: rag export FILE")
    entry = archive.getinfo(MANIFEST)
    if entry.file_size > MOST_MANIFEST or entry.compress_type != zipfile.ZIP_STORED:
        raise damaged(path, "its manifest is too long, or compressed")
    try:
        found: dict[str, Any] = json.loads(archive.read(MANIFEST))
        version = int(found["version"])
    except (ValueError, KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise damaged(path, "its manifest can't be read") from error
    if version != VERSION:
        raise InputError(
            f"{path} is an archive of version {version}, and this version of rag reads version "
            f"{VERSION}; index again"
        )
    try:
        members = {name: Member(**one) for name, one in found["members"].items()}
        manifest = Manifest(version, str(found["folder"]), members)
    except (KeyError, TypeError, AttributeError) as error:
        raise damaged(path, "its manifest can't be read") from error
    if sorted(names) != sorted([*members, MANIFEST]):
        raise damaged(path, "its content differs from its manifest")
    for one in archive.infolist():
        if one.filename != MANIFEST:
            _check_member(one, members[one.filename], path)
    if STORE not in members:
        raise damaged(path, "there is no store in it")
    return manifest


def _check_member(info: zipfile.ZipInfo, member: Member, path: Path) -> None:
    """Reject path traversal, links, and a size other than declared."""
    name, parts = info.filename, PurePosixPath(info.filename).parts
    plain = (info.external_attr >> 16) & 0o170000 in {0, 0o100000}
    if (
        not _MEMBER.fullmatch(name)
        or ".." in parts
        or "/".join(parts) != name
        or any(character in name for character in _UNSAFE)
        or any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME for part in parts)
        or not plain
        or info.flag_bits & 1
    ):
        raise damaged(path, f"“{name}” doesn't belong in a library")
    if (
        type(member.size) is not int
        or info.file_size != member.size
        or info.compress_type != zipfile.ZIP_STORED
    ):
        raise damaged(path, f"“{name}” doesn't have its declared size")
