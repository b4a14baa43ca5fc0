"""Export a library to a single file, from which :mod:`rag.maintenance.backup_import` restores it.

It contains a snapshot of the store and the uploaded files. Others can search and index meanwhile:
SQLite makes a consistent copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rag.errors import InputError, LibraryNotFound
from rag.index.sqlite import Database
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
from rag.runtime.files import (
    SPECIAL,
    absolute,
    open_file,
    printable,
    special_in,
    sync_folder,
    writing,
)


def export(
    folder: Path, target: str | Path, on_progress: OnProgress, *, force: bool = False
) -> ArchiveSummary:
    """Export the library in ``folder`` to an archive, which is complete or not there at all.

    Raises
    ------
    LibraryNotFound
        If there is no library.
    InputError
        If the target exists and ``force`` is false, is not a regular file, or lies in the library.
    LibraryBusy
        If another process is writing the same archive.
    LibraryError
        If the library can't be read, or the archive can't be written.
    """
    path = absolute(target)
    if not (folder / STORE).exists():
        raise LibraryNotFound(f"there is no library in {folder}; name another: --library DIR")
    if path.is_relative_to(folder):
        raise InputError(f"{path} is inside the library itself; choose a place outside it")
    check(path, force=force)
    busy = f"another process is writing {path}; wait for it, or choose another name"
    with writing(path.parent), draft_of(path, "export", busy) as draft:
        archive = draft / "archive"
        documents = _write(folder, archive, draft / STORE, on_progress)
        size = archive.stat().st_size
        archive.replace(path)
        sync_folder(path.parent)
    return ArchiveSummary(documents, size)


def check(path: Path, *, force: bool) -> None:
    """Check that an archive may be written at a path.

    Raises
    ------
    InputError
        If it is a folder or not a regular file, or exists and ``force`` is false.
    """
    if special_in([path]):
        raise InputError(f"{path} can't be overwritten: {SPECIAL}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, like {path / 'library.rag.zip'}")
    if path.exists() and not force:
        raise InputError(f"{path} exists; choose another name, or overwrite it: --force")


def _write(folder: Path, archive: Path, store: Path, on_progress: OnProgress) -> int:
    """Write the archive from a copy of the store; returns the number of documents."""
    documents = _copy_store(folder, store, on_progress)
    files = {STORE: store, **dict(_uploads(folder))}
    with archive.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as out:
            copying = CopyProgress(sum(one.stat().st_size for one in files.values()), on_progress)
            members = {name: _add(out, name, path, copying) for name, path in files.items()}
            manifest = Manifest(VERSION, printable(folder), members)
            out.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())
    return documents


def _copy_store(folder: Path, copy: Path, on_progress: OnProgress) -> int:
    """Make a snapshot of the store; returns its number of documents."""
    database = Database(folder / STORE, MINILM.dimension)  # no vector is read here
    try:
        # Includes the write-ahead log, omits deleted text.
        database.check(database.fact("fingerprint"))
        database.copy(copy, lambda done, total: on_progress("store", done, total))
    finally:
        database.close()
    copied = Database(copy, MINILM.dimension)
    try:
        return documents_in(copied)
    finally:
        copied.close()


def _uploads(folder: Path) -> Iterator[tuple[str, Path]]:
    """Iterate over the uploaded files, without unfinished uploads."""
    for path in sorted((folder / "files").rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path


def _add(archive: zipfile.ZipFile, name: str, path: Path, copying: CopyProgress) -> Member:
    digest, done = hashlib.sha256(), 0
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{printable(path)}: its name is not valid UTF-8; rename it") from error
    info = zipfile.ZipInfo(name)  # without a date, for reproducible archives
    info.external_attr = 0o600 << 16
    with open_file(path) as source, archive.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
            done += len(chunk)
            copying(len(chunk))
    return Member(done, digest.hexdigest())
