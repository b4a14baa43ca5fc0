"""Restore a library from an archive of :mod:`rag.maintenance.backup_export`.

An archive may come from a stranger. It is validated completely in a draft folder before the library
gets its name: names and sizes of all members before anything is written, each member by its
SHA-256, and the store by :mod:`rag.index.sqlite.validation`. The search indexes are rebuilt from
the store.
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
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from rag.errors import InputError, LibraryDamaged, LibraryMismatch, ModelError
from rag.index.publication import Indexes
from rag.index.sqlite import Changes, Database, StoreWriter, as_path, validate
from rag.library.opener import NAME as MODEL
from rag.library.opener import embedder_for, require_model_outside
from rag.maintenance.backup_format import (
    CHUNK,
    MANIFEST,
    STORE,
    VERSION,
    ArchiveSummary,
    CopyProgress,
    Manifest,
    Member,
    OnProgress,
)
from rag.maintenance.backup_format import documents as documents_in
from rag.maintenance.draft_folders import draft_of
from rag.models.named_models import MINILM
from rag.runtime.byte_sizes import format_size
from rag.runtime.files import absolute, open_file, printable, sync_folder, writing

MOST_MANIFEST = 64_000_000
"""Size limit in bytes, for a manifest of some 400,000 files."""

LONGEST_NAME = 255
"""Maximum length in bytes of one component of a member's name, as in file systems."""

_MEMBER = re.compile(r"library\.db|files/.+", re.DOTALL)
_UNSAFE = "\\:\0" if os.name == "nt" else "\0"
"""Characters that no name may contain, even inside our own folder."""

_DAMAGE = (zipfile.BadZipFile, EOFError, NotImplementedError, OverflowError, struct.error)
"""Errors of the standard library for a truncated archive, or one in another format than ours."""


def import_archive(source: str | Path, folder: Path, on_progress: OnProgress) -> ArchiveSummary:
    """Restore a library from an archive, in a folder that is new or empty.

    Raises
    ------
    InputError
        If there is no such file, it is not an archive of a library, the folder is not empty, or
        there is too little disk space.
    LibraryDamaged
        If a checksum or the store's validation fails.
    LibraryBusy
        If another process is importing into the same folder.
    LibraryError
        If the folder can't be written.
    """
    path = absolute(source)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty; name a new folder: --library DIR")
    with _open(path) as archive, writing(folder.parent):
        manifest = _manifest(archive, path)
        folder.parent.mkdir(parents=True, exist_ok=True)
        size = sum(one.size for one in manifest.members.values())
        if size > path.stat().st_size:
            raise _damaged(path, "its members overlap")
        free = shutil.disk_usage(folder.parent).free
        if size > free:
            raise InputError(
                f"{folder.parent} has {format_size(free)} of space left, and the library needs "
                f"{format_size(size)}; make room, or choose another place: --library DIR"
            )
        busy = (
            f"another process is importing a library into {folder}; wait for it, or choose another "
            "place: --library DIR"
        )
        with draft_of(folder, "import", busy) as draft:
            library = draft / "library"
            library.mkdir()
            _unpack(archive, manifest, library, path, CopyProgress(size, on_progress))
            documents = _settle(library, manifest, folder, path)
            if folder.exists():
                folder.rmdir()  # empty; only on Linux can a rename replace it
            library.rename(folder)
            sync_folder(folder.parent)
    return ArchiveSummary(documents, size)


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            yield archive
    except _DAMAGE as error:
        raise _damaged(path, str(error) or "it is cut short") from error
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}; name an archive made by rag export") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    """Read and validate the manifest, and check that it lists all members."""
    names = [one.filename for one in archive.infolist()]
    if MANIFEST not in names:
        raise InputError(f"{path} is not a library archive; make one: rag export FILE")
    entry = archive.getinfo(MANIFEST)
    if entry.file_size > MOST_MANIFEST or entry.compress_type != zipfile.ZIP_STORED:
        raise _damaged(path, "its manifest is too long, or compressed")
    try:
        found: dict[str, Any] = json.loads(archive.read(MANIFEST))
        version = int(found["version"])
    except (ValueError, KeyError, TypeError, OverflowError, RuntimeError) as error:
        raise _damaged(path, "its manifest can't be read") from error
    if version != VERSION:
        raise InputError(
            f"{path} is an archive of version {version}, and this version of rag reads version "
            f"{VERSION}; index again"
        )
    try:
        members = {name: Member(**one) for name, one in found["members"].items()}
        manifest = Manifest(version, str(found["folder"]), members)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, "its manifest can't be read") from error
    if sorted(names) != sorted([*members, MANIFEST]):
        raise _damaged(path, "its content differs from its manifest")
    for one in archive.infolist():
        if one.filename != MANIFEST:
            _check_member(one, members[one.filename], path)
    if STORE not in members:
        raise _damaged(path, "there is no store in it")
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
        raise _damaged(path, f"“{name}” doesn't belong in a library")
    if (
        type(member.size) is not int
        or info.file_size != member.size
        or info.compress_type != zipfile.ZIP_STORED
    ):
        raise _damaged(path, f"“{name}” doesn't have its declared size")


def _unpack(
    archive: zipfile.ZipFile, manifest: Manifest, draft: Path, path: Path, copying: CopyProgress
) -> None:
    """Extract all members, each verified by its SHA-256 and synced to disk before the next."""
    folders = {draft}
    for name, member in manifest.members.items():
        target = draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        folders |= {one for one in target.parents if one.is_relative_to(draft)}
        with archive.open(name) as source, target.open("xb") as file:
            digest = _copy(source, file, member.size, copying)
            file.flush()
            os.fsync(file.fileno())
        if digest != member.sha256:
            raise _damaged(path, f"“{name}” doesn't match its checksum")
    for one in folders:
        sync_folder(one)


def _copy(source: IO[bytes], target: IO[bytes], most: int, copying: CopyProgress) -> str:
    """Copy at most ``most`` bytes; returns their SHA-256."""
    digest, left = hashlib.sha256(), most
    while chunk := source.read(min(CHUNK, left)):
        left -= len(chunk)
        digest.update(chunk)
        target.write(chunk)
        copying(len(chunk))
    return digest.hexdigest()


def _settle(library: Path, manifest: Manifest, folder: Path, path: Path) -> int:
    """Validate the store, adapt it to its new path, and build its indexes; returns the number of
    documents.
    """
    before = as_path(manifest.folder)
    try:
        database = Database(library / STORE, MINILM.dimension)
        try:
            dimension = validate(database, before)
            database.dimension = dimension or MINILM.dimension
            _check_notes(database, dimension, library, folder)
            database.use_journal()
            if str(before) != printable(folder):
                separator = "/" if isinstance(before, PurePosixPath) else "\\"
                StoreWriter(database).move(f"{before}{separator}", printable(folder) + os.sep)
            if dimension:  # an empty library is indexed once its model is known
                Indexes(library, Changes(database)).publish()
            return documents_in(database)
        finally:
            database.close()
    except (LibraryDamaged, ModelError) as error:
        raise _damaged(path, f"its store can't be used ({_reason(error, library)})") from error
    except LibraryMismatch as error:
        raise LibraryMismatch(
            f"{path} was made by another version of rag ({_reason(error, library)}); index again"
        ) from error


def _reason(error: Exception, library: Path) -> str:
    """The error's message, without the path of a draft folder that no longer exists."""
    return str(error.__cause__ or error).replace(str(library / STORE), "it")


def _check_notes(database: Database, dimension: int, library: Path, folder: Path) -> None:
    """Check that the library can be opened with the model data it recorded."""
    if database.note(MODEL) is None:
        return
    try:
        embedder = embedder_for(library, None, None)
        require_model_outside(embedder.name, folder)
        found = embedder.fingerprint, embedder.dimension
    except (TypeError, ValueError, AttributeError) as error:
        raise LibraryDamaged(f"it does not say which model it was made with: {error}") from error
    expected = database.fact("fingerprint"), dimension or embedder.dimension
    if found != expected:
        raise LibraryDamaged("it was made with another model than it says")


def _damaged(path: Path, why: str) -> LibraryDamaged:
    return LibraryDamaged(f"{path} is damaged: {why}; use another copy")
