"""A library into one file, which :mod:`rag.maintenance.backup_import` makes a library of again.

In it are the store, as of one moment, and the files that were sent to the library. It can be taken
while others ask and index: SQLite copies the store as of one moment.
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
    Archived,
    Copying,
    Manifest,
    Member,
    Tell,
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


def export(folder: Path, target: str | Path, tell: Tell, *, force: bool = False) -> Archived:
    """Put the library in ``folder`` into an archive, which is there whole or not at all.

    Raises
    ------
    LibraryNotFound
        If there is no library.
    InputError
        If the target exists, and ``force`` is false, is no ordinary file, or lies in the library.
    LibraryBusy
        If another process is writing the same archive.
    LibraryError
        If the library can't be read, or the archive can't be written.
    """
    path = absolute(target)
    if not (folder / STORE).exists():
        raise LibraryNotFound(f"there is no library in {folder}; name another: --library DIR")
    if path.is_relative_to(folder):
        raise InputError(f"{path} lies in the library itself; choose a place outside of it")
    check(path, force=force)
    busy = f"another process is writing {path}; wait for it, or choose another name"
    with writing(path.parent), draft_of(path, "export", busy) as draft:
        archive = draft / "archive"
        documents = _write(folder, archive, draft / STORE, tell)
        size = archive.stat().st_size
        archive.replace(path)
        sync_folder(path.parent)
    return Archived(documents, size)


def check(path: Path, *, force: bool) -> None:
    """See that an archive may be written at a path.

    Raises
    ------
    InputError
        If it is a folder or no ordinary file, or there is a file and ``force`` is false.
    """
    if special_in([path]):
        raise InputError(f"{path} can't be written over: {SPECIAL}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, like {path / 'library.rag.zip'}")
    if path.exists() and not force:
        raise InputError(f"{path} exists; choose another name, or write over it: --force")


def _write(folder: Path, archive: Path, store: Path, tell: Tell) -> int:
    """Write the archive, by way of a copy of the store; gives the number of documents in it."""
    documents = _copy_store(folder, store, tell)
    files = {STORE: store, **dict(_sent(folder))}
    with archive.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as out:
            copying = Copying(sum(one.stat().st_size for one in files.values()), tell)
            members = {name: _put(out, name, path, copying) for name, path in files.items()}
            manifest = Manifest(VERSION, printable(folder), members)
            out.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())
    return documents


def _copy_store(folder: Path, copy: Path, tell: Tell) -> int:
    """Copy the store as of one moment; gives the number of documents in the copy."""
    database = Database(folder / STORE, MINILM.dimension)  # no vector is read here
    try:
        # What is in the journal comes along, and what was deleted does not.
        database.check(database.fact("fingerprint"))
        database.copy(copy, lambda done, total: tell("store", done, total))
    finally:
        database.close()
    copied = Database(copy, MINILM.dimension)
    try:
        return documents_in(copied)
    finally:
        copied.close()


def _sent(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files that were sent to the library, but those that are on their way."""
    for path in sorted((folder / "files").rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path


def _put(archive: zipfile.ZipFile, name: str, path: Path, copying: Copying) -> Member:
    digest, done = hashlib.sha256(), 0
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{printable(path)}: its name is not valid UTF-8; rename it") from error
    info = zipfile.ZipInfo(name)  # without a date: the same library makes the same archive
    info.external_attr = 0o600 << 16
    with open_file(path) as source, archive.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
            done += len(chunk)
            copying(len(chunk))
    return Member(done, digest.hexdigest())
