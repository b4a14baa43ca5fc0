"""A library out of an archive of :mod:`rag.archiving`.

What comes in is checked whole, in a folder beside the one that it is for, before it gets that name:
the names and sizes of all members before anything is written, and each by its SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

from filelock import FileLock, Timeout

from rag.archive_format import (
    CHUNK,
    MANIFEST,
    STORE,
    VERSION,
    Archived,
    Copying,
    Manifest,
    Member,
    Tell,
)
from rag.archive_format import documents as documents_in
from rag.embedding import MINILM
from rag.errors import InputError, LibraryBusy, LibraryDamaged
from rag.files import absolute, open_file, printable, sync_folder, writing
from rag.indexes import PUBLISHED
from rag.store import Database, StoreWriter

MOST_MANIFEST = 64_000_000
"""Bytes; that is a manifest of some 400,000 files."""

_MEMBER = re.compile(
    r"library\.db|published\.json|vectors-\d+\.faiss|words/[\w.-]+|files/.+", re.DOTALL
)
_UNSAFE = "\\:\0" if os.name == "nt" else "\0"
"""What no name may have, though it is below a folder that is ours."""

_DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, OverflowError, struct.error)
"""What the standard library raises where an archive is cut, or made in another way than ours."""


def bring_in(source: str | Path, folder: Path, tell: Tell) -> Archived:
    """Make a library of an archive, in a folder that is new or empty.

    Raises
    ------
    InputError
        If there is no such file, it is no archive of a library, or there is something in the
        folder, or too little space for it.
    LibraryDamaged
        If something in the archive is not what was put in.
    LibraryBusy
        If another process brings one into the same folder.
    LibraryError
        If the folder can't be written.
    """
    path = absolute(source)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty; name a new folder: --library DIR")
    with _opened(path) as archive, writing(folder.parent):
        manifest = _manifest(archive, path)
        folder.parent.mkdir(parents=True, exist_ok=True)
        size = sum(one.size for one in manifest.members.values())
        free = shutil.disk_usage(folder.parent).free
        if size > free:
            raise InputError(
                f"{folder.parent} has {free / 1e6:,.0f} MB of space left, and the library needs "
                f"{size / 1e6:,.0f}; make room, or choose another place: --library DIR"
            )
        with _alone(folder):
            documents = _brought_in(archive, manifest, path, folder, Copying(size, tell))
    return Archived(documents, size, PUBLISHED in manifest.members)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others from bringing something into the same folder."""
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LibraryBusy(
            f"another process brings a library into {folder}; wait for it, or choose another "
            "place: --library DIR"
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):  # Windows keeps a file that is open
            Path(lock.lock_file).unlink()
        lock.release()


def _brought_in(
    archive: zipfile.ZipFile, manifest: Manifest, path: Path, folder: Path, copying: Copying
) -> int:
    """Unpack and check all of it under another name; gives the number of documents."""
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)  # of an import that was killed
    draft.mkdir(mode=0o700)
    try:
        _unpack(archive, manifest, draft, path, copying)
        documents = _settled(draft, Path(manifest.folder), folder)
        draft.chmod(0o777 & ~_umask())
        if folder.exists():
            folder.rmdir()  # it is empty: elsewhere than on Linux nothing takes its place
        draft.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return documents


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except _DAMAGE as error:
        raise _damaged(path, str(error) or "it is cut short") from error
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}; name an archive of rag export") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """What the archive says is in it, and nothing else is."""
    names = [one.filename for one in archive.infolist()]
    if MANIFEST not in names:
        raise InputError(f"{path} is no archive of a library; make one: rag export FILE")
    told = archive.getinfo(MANIFEST)
    if told.file_size > MOST_MANIFEST or told.compress_type != zipfile.ZIP_STORED:
        raise _damaged(path, "its manifest is too long, or packed")
    try:
        found: dict[str, Any] = json.loads(archive.read(MANIFEST))
        version = int(found["version"])
    except (ValueError, KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise _damaged(path, "its manifest can't be read") from error
    if version != VERSION:
        raise InputError(
            f"{path} is an archive of version {version}, and this version of rag reads version "
            f"{VERSION}; use the version that made it"
        )
    try:
        members = {name: Member(**one) for name, one in found["members"].items()}
        manifest = Manifest(version, str(found["folder"]), members)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, "its manifest can't be read") from error
    if sorted(names) != sorted([*members, MANIFEST]):
        raise _damaged(path, "it holds more or less than its manifest says")
    for one in archive.infolist():
        if one.filename != MANIFEST:
            _allowed(one, members[one.filename], path)
    if STORE not in members:
        raise _damaged(path, "there is no store in it")
    return manifest


def _allowed(info: zipfile.ZipInfo, member: Member, path: Path) -> None:
    """Refuse a name that leads elsewhere, a link, and a size that is not the one it says."""
    name, parts = info.filename, PurePosixPath(info.filename).parts
    plain = (info.external_attr >> 16) & 0o170000 in {0, 0o100000}
    if (
        not _MEMBER.fullmatch(name)
        or ".." in parts
        or "/".join(parts) != name
        or any(character in name for character in _UNSAFE)
        or not plain
        or info.flag_bits & 1
    ):
        raise _damaged(path, f"“{name}” has no place in a library")
    if (
        type(member.size) is not int
        or info.file_size != member.size
        or info.compress_type != zipfile.ZIP_STORED
    ):
        raise _damaged(path, f"“{name}” is not as long as it says")


def _unpack(
    archive: zipfile.ZipFile, manifest: Manifest, draft: Path, path: Path, copying: Copying
) -> None:
    """Write every member, each checked by its SHA-256 and on the disk before the next."""
    folders = {draft}
    for name, member in manifest.members.items():
        target = draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        folders |= {one for one in target.parents if one.is_relative_to(draft)}
        with archive.open(name) as source, target.open("xb") as file:
            digest = _copied(source, file, member.size, copying)
            file.flush()
            os.fsync(file.fileno())
        if digest != member.sha256:
            raise _damaged(path, f"“{name}” is not what was put in")
    for one in folders:
        sync_folder(one)


def _copied(source: IO[bytes], target: IO[bytes], most: int, copying: Copying) -> str:
    """SHA-256 of what was copied, at most so many bytes."""
    digest, left = hashlib.sha256(), most
    while chunk := source.read(min(CHUNK, left)):
        left -= len(chunk)
        digest.update(chunk)
        target.write(chunk)
        copying(len(chunk))
    return digest.hexdigest()


def _settled(draft: Path, before: Path, now: Path) -> int:
    """Let the library know where it will be; gives the number of its documents."""
    database = Database(draft / STORE, MINILM.dimension)
    try:
        database.use_journal()
        database.check(database.fact("fingerprint"))  # not newer than this version, and not older
        if before != now:
            StoreWriter(database).move(str(before) + os.sep, printable(now) + os.sep)
        return documents_in(database)
    except KeyError as error:
        raise LibraryDamaged("the archive holds no library") from error
    finally:
        database.close()


def _umask() -> int:
    """What new folders don't allow; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _damaged(path: Path, why: str) -> LibraryDamaged:
    return LibraryDamaged(f"{path} is damaged: {why}; take another copy")
