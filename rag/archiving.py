"""A library into one file, which :mod:`rag.unpacking` makes a library of again.

In it are the store, as of one moment; the search indexes as they were published, so that answers
are the same to the last digit; and the files that were sent to the library. It can be taken while
others ask and index: SQLite copies the store as of one moment, and the files of an index are only
ever written once.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rag import index_files
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
from rag.errors import InputError, LibraryError, LibraryNotFound
from rag.files import absolute, open_file, printable, sync_folder, writing
from rag.indexes import PUBLISHED, WORDS
from rag.store import Database

TRIES = 3
"""How often the indexes are copied, where a writer replaced them meanwhile. Without them an archive
is whole, too: they are made again when it is opened."""

_SEALED = re.compile(r"vectors-\d+\.faiss")


def export(folder: Path, target: str | Path, tell: Tell, *, force: bool = False) -> Archived:
    """Put the library in ``folder`` into an archive, which is there whole or not at all.

    Raises
    ------
    LibraryNotFound
        If there is no library.
    InputError
        If the target exists, and ``force`` is false, or it lies in the library.
    LibraryError
        If the library can't be read, or the archive can't be written.
    """
    path = absolute(target)
    if not (folder / STORE).exists():
        raise LibraryNotFound(f"there is no library in {folder}; name another: --library DIR")
    if path.is_relative_to(folder):
        raise InputError(f"{path} lies in the library itself; choose a place outside of it")
    check(path, force=force)
    with writing(path.parent), _draft(path) as draft:
        documents, indexes = _written(folder, draft, tell)
        size = draft.stat().st_size
        draft.replace(path)
        sync_folder(path.parent)
    return Archived(documents, size, indexes)


def check(path: Path, *, force: bool) -> None:
    """See that an archive may be written at a path.

    Raises
    ------
    InputError
        If it is a folder, or there is a file and ``force`` is false.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, like {path / 'library.rag.zip'}")
    if path.exists() and not force:
        raise InputError(f"{path} exists; choose another name, or write over it: --force")


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A name beside a file's own, at which nothing is left."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _store(folder: Path, draft: Path, tell: Tell) -> Iterator[tuple[Path, int]]:
    """A copy of the store as of one moment, beside the draft, and how many documents it has."""
    copy = draft.with_name(draft.name + ".db")
    database = Database(folder / STORE, MINILM.dimension)
    try:
        copy.unlink(missing_ok=True)
        # What is in the journal comes along, and what was deleted does not.
        database.copy(copy, lambda done, total: tell("store", done, total))
        yield copy, _documents(copy)
    finally:
        database.close()
        copy.unlink(missing_ok=True)


def _documents(store: Path) -> int:
    database = Database(store, MINILM.dimension)  # no vector is read here
    try:
        return documents_in(database)
    finally:
        database.close()


def _written(folder: Path, draft: Path, tell: Tell) -> tuple[int, bool]:
    """Write the archive; how many documents are in it, and whether the indexes are."""
    for tries_left in reversed(range(TRIES)):
        published = _bytes(folder / PUBLISHED)
        sealed = _sealed(published) if tries_left else None
        members: dict[str, Member] = {}
        try:
            with draft.open("wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as out:
                    if sealed:
                        files = dict(_indexes(folder, sealed))
                        members |= _put_all(out, files, tell, "indexes")
                        if _replaced(folder, published, members):
                            continue  # what was copied does not belong together
                    # After the indexes: they may be behind the store, and never ahead of it.
                    with _store(folder, draft, tell) as (store, documents):
                        files = {STORE: store, **dict(_sent(folder))}
                        members |= _put_all(out, files, tell, "copied")
                    manifest = Manifest(VERSION, printable(folder), members)
                    out.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
                file.flush()
                os.fsync(file.fileno())
        except FileNotFoundError:
            if not sealed:
                raise
            continue  # a writer removed what it had replaced
        else:
            return documents, sealed is not None
    raise LibraryError(f"{folder} changes all the time; try again when less is going on")


def _sealed(published: bytes | None) -> str | None:
    """The file of the vectors that are published; None where nothing of use is."""
    try:
        name = json.loads(published or b"")["sealed"]["file"]
    except (ValueError, TypeError, KeyError):
        return None
    return name if isinstance(name, str) and _SEALED.fullmatch(name) else None


def _indexes(folder: Path, sealed: str) -> Iterator[tuple[str, Path]]:
    """The files of the indexes, by their names in the archive."""
    yield PUBLISHED, folder / PUBLISHED
    yield sealed, folder / sealed
    for path in sorted((folder / WORDS).iterdir()):
        if not path.name.endswith(".lock"):
            yield f"{WORDS}/{path.name}", path


def _sent(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files that were sent to the library, but those that are on their way."""
    for path in sorted((folder / "files").rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path


def _put_all(
    archive: zipfile.ZipFile, files: Mapping[str, Path], tell: Tell, what: str
) -> dict[str, Member]:
    copying = Copying(sum(one.stat().st_size for one in files.values()), tell, what)
    return {name: _put(archive, name, path, copying) for name, path in files.items()}


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


def _replaced(folder: Path, published: bytes | None, members: Mapping[str, Member]) -> bool:
    """Whether a writer touched the indexes while they were copied."""
    if _bytes(folder / PUBLISHED) != published:
        return True
    meta = f"{WORDS}/{index_files.META}"
    kept = members.get(meta)
    return kept is None or index_files.digest(folder / meta) != kept.sha256


def _bytes(path: Path) -> bytes | None:
    try:
        with open_file(path) as file:
            return file.read()
    except FileNotFoundError:
        return None
