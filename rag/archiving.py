"""A library in one file, and out of it again.

The archive is a ZIP file, stored as it is, without compression: its ``manifest.json`` names the
SHA-256 and the size of every other member. In it are the store, as of one moment; the search
indexes as they were published, so that answers are the same to the last digit; and the files that
were sent to the library. It can be taken while others ask and index: SQLite copies the store as of
one moment, and the files of an index are only ever written once.

What comes in is checked whole, in a folder beside the one that it is for, before it gets that name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from rag import index_files
from rag.embedding import MINILM
from rag.errors import InputError, LibraryDamaged, LibraryError, LibraryNotFound
from rag.files import absolute, printable, sync_folder, writing
from rag.indexes import PUBLISHED, WORDS
from rag.store import Database, StoreWriter

VERSION = 1
"""Of the archive; others are refused."""

MANIFEST = "manifest.json"
MOST_MANIFEST = 64_000_000
"""Bytes; that is a manifest of some 400,000 files."""

TRIES = 3
"""How often the indexes are copied, where a writer replaced them meanwhile. Without them an archive
is whole, too: they are made again when it is opened."""

_STORE = "library.db"
_MEMBER = re.compile(
    r"library\.db|published\.json|vectors-\d+\.faiss|words/[\w.-]+|files/.+", re.DOTALL
)
_UNSAFE = "\\:\0" if os.name == "nt" else "\0"
"""What no name may have, though it is below a folder that is ours."""

_CHUNK = 1 << 20

Tell: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, how many bytes of it are done, of how many."""


@dataclass(frozen=True, slots=True)
class Archived:
    """What an archive holds: ``documents`` and ``bytes``, and whether the indexes are in it."""

    documents: int
    bytes: int
    indexes: bool


@dataclass(frozen=True, slots=True)
class _Member:
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Manifest:
    """``folder`` is where the library was: files that were sent are known by where they lie."""

    version: int
    folder: str
    members: Mapping[str, _Member]


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
    if not (folder / _STORE).exists():
        raise LibraryNotFound(f"there is no library in {folder}; name another: --library DIR")
    if path.is_relative_to(folder):
        raise InputError(f"{path} lies in the library itself; choose a place outside of it")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, like {path / 'library.rag.zip'}")
    if path.exists() and not force:
        raise InputError(f"{path} exists; choose another name, or write over it: --force")
    with writing(path.parent), _draft(path) as draft, _store(folder, draft, tell) as store:
        database = Database(store, MINILM.dimension)  # no vector is read here
        try:
            documents = _documents(database)
        finally:
            database.close()
        indexes = _written(folder, draft, store, tell)
        size = draft.stat().st_size
        draft.replace(path)
        sync_folder(path.parent)
    return Archived(documents, size, indexes)


def bring_in(source: str | Path, folder: Path, tell: Tell) -> Archived:
    """Make a library of an archive, in a folder that is new or empty.

    Raises
    ------
    InputError
        If there is no such file, it is no archive of a library, or there is something in the
        folder, or too little space for it.
    LibraryDamaged
        If something in the archive is not what was put in.
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
        draft = folder.with_name(f".{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)  # of an import that was killed
        draft.mkdir(mode=0o700)
        try:
            _unpack(archive, manifest, draft, path, _Copying(size, tell))
            documents = _settled(draft, Path(manifest.folder), folder)
            draft.chmod(0o777 & ~_umask())
            if folder.exists():
                folder.rmdir()  # it is empty: elsewhere than on Linux nothing takes its place
            draft.rename(folder)
            sync_folder(folder.parent)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return Archived(documents, size, PUBLISHED in manifest.members)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A name beside a file's own, at which nothing is left."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _store(folder: Path, draft: Path, tell: Tell) -> Iterator[Path]:
    """A copy of the store as of one moment, beside the draft."""
    copy = draft.with_name(draft.name + ".db")
    database = Database(folder / _STORE, MINILM.dimension)
    try:
        copy.unlink(missing_ok=True)
        # What is in the journal comes along, and what was deleted does not.
        database.copy(copy, lambda done, total: tell("store", done, total))
        yield copy
    finally:
        database.close()
        copy.unlink(missing_ok=True)


class _Copying:
    """How much is copied of all there is."""

    def __init__(self, total: int, tell: Tell) -> None:
        self._total = total
        self._tell = tell
        self._done = 0

    def __call__(self, more: int) -> None:
        self._done += more
        self._tell("copied", self._done, max(self._total, self._done))


def _written(folder: Path, draft: Path, store: Path, tell: Tell) -> bool:
    """Write the archive; whether the indexes are in it."""
    for tries_left in reversed(range(TRIES)):
        published = _bytes(folder / PUBLISHED)
        with_indexes = published is not None and tries_left > 0
        members: dict[str, _Member] = {}
        try:
            with draft.open("wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as out:
                    files = dict(_files(folder, store, indexes=with_indexes))
                    copying = _Copying(sum(one.stat().st_size for one in files.values()), tell)
                    for name, path in files.items():
                        members[name] = _put(out, name, path, copying)
                    if with_indexes and _replaced(folder, published, members):
                        continue  # what was copied does not belong together
                    manifest = _Manifest(VERSION, printable(folder), members)
                    out.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1))
                file.flush()
                os.fsync(file.fileno())
        except FileNotFoundError:
            if not with_indexes:
                raise
            continue  # a writer removed what it had replaced
        else:
            return with_indexes
    raise LibraryError(f"{folder} changes all the time; try again when less is going on")


def _files(folder: Path, store: Path, *, indexes: bool) -> Iterator[tuple[str, Path]]:
    """What belongs in the archive, by its name there."""
    if indexes:
        yield PUBLISHED, folder / PUBLISHED
        sealed = json.loads((folder / PUBLISHED).read_bytes())["sealed"]["file"]
        yield sealed, folder / sealed
        for path in sorted((folder / WORDS).iterdir()):
            if not path.name.endswith(".lock"):
                yield f"{WORDS}/{path.name}", path
    yield _STORE, store
    for path in sorted((folder / "files").rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path


def _put(archive: zipfile.ZipFile, name: str, path: Path, copying: _Copying) -> _Member:
    digest, done = hashlib.sha256(), 0
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{printable(path)}: its name is not valid UTF-8; rename it") from error
    info = zipfile.ZipInfo(name)  # without a date: the same library makes the same archive
    info.external_attr = 0o600 << 16
    with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
            done += len(chunk)
            copying(len(chunk))
    return _Member(done, digest.hexdigest())


def _replaced(folder: Path, published: bytes | None, members: Mapping[str, _Member]) -> bool:
    """Whether a writer touched the indexes while they were copied."""
    if _bytes(folder / PUBLISHED) != published:
        return True
    meta = f"{WORDS}/{index_files.META}"
    kept = members.get(meta)
    return kept is None or index_files.digest(folder / meta) != kept.sha256


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise _damaged(path, str(error)) from error
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}; name an archive of rag export") from error


def _manifest(archive: zipfile.ZipFile, path: Path) -> _Manifest:
    """What the archive says is in it, and nothing else is."""
    names = [one.filename for one in archive.infolist()]
    if MANIFEST not in names:
        raise InputError(f"{path} is no archive of a library; make one: rag export FILE")
    if archive.getinfo(MANIFEST).file_size > MOST_MANIFEST:
        raise _damaged(path, "its manifest is too long")
    try:
        found: dict[str, Any] = json.loads(archive.read(MANIFEST))
        version = int(found["version"])
    except (ValueError, KeyError, TypeError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, "its manifest can't be read") from error
    if version != VERSION:
        raise InputError(
            f"{path} is an archive of version {version}, and this version of rag reads version "
            f"{VERSION}; use the version that made it"
        )
    try:
        members = {name: _Member(**one) for name, one in found["members"].items()}
        manifest = _Manifest(version, str(found["folder"]), members)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, "its manifest can't be read") from error
    if sorted(names) != sorted([*members, MANIFEST]):
        raise _damaged(path, "it holds more or less than its manifest says")
    for one in archive.infolist():
        if one.filename != MANIFEST:
            _allowed(one, members[one.filename], path)
    if _STORE not in members:
        raise _damaged(path, "there is no store in it")
    return manifest


def _allowed(info: zipfile.ZipInfo, member: _Member, path: Path) -> None:
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
    if info.file_size != member.size or info.compress_type != zipfile.ZIP_STORED:
        raise _damaged(path, f"“{name}” is not as long as it says")


def _unpack(
    archive: zipfile.ZipFile, manifest: _Manifest, draft: Path, path: Path, copying: _Copying
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


def _copied(source: IO[bytes], target: IO[bytes], most: int, copying: _Copying) -> str:
    """SHA-256 of what was copied, at most so many bytes."""
    digest, left = hashlib.sha256(), most
    while chunk := source.read(min(_CHUNK, left)):
        left -= len(chunk)
        digest.update(chunk)
        target.write(chunk)
        copying(len(chunk))
    return digest.hexdigest()


def _settled(draft: Path, before: Path, now: Path) -> int:
    """Let the library know where it will be; gives the number of its documents."""
    database = Database(draft / _STORE, MINILM.dimension)
    try:
        database.use_journal()
        database.check(database.fact("fingerprint"))  # not newer than this version, and not older
        if before != now:
            StoreWriter(database).move(str(before) + os.sep, printable(now) + os.sep)
        return _documents(database)
    except KeyError as error:
        raise LibraryDamaged("the archive holds no library") from error
    finally:
        database.close()


def _documents(database: Database) -> int:
    (found,) = database.connection.execute("SELECT count(*) FROM document").fetchone()
    return int(found)


def _umask() -> int:
    """What new folders don't allow; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _damaged(path: Path, why: str) -> LibraryDamaged:
    return LibraryDamaged(f"{path} is damaged: {why}; take another copy")
