"""Export a library to a single file, and restore it from one.

An archive (:mod:`rag.maintenance.backup_format`) has a consistent snapshot of the store and the
uploaded files; others can search and index meanwhile. One that is imported may come from a
stranger: it is validated completely in a draft folder before the library gets its name, its store
by :mod:`rag.index.sqlite.validation`, and the search indexes are rebuilt.

A shared library is copied to a temporary folder and exported from there, or imported there and
copied: so a library's archive can be restored on any machine and in object storage, whichever it
came from. Nothing is embedded again, and results are identical.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from rag.confidence import answerability, self_test
from rag.errors import (
    InputError,
    LibraryDamaged,
    LibraryMismatch,
    LibraryNotFound,
    ModelError,
)
from rag.index.engine import Engine
from rag.index.folder import create_library, store_folder
from rag.index.integrity import OnProgress
from rag.index.local_engine import EmbeddedEngine
from rag.index.records import Source
from rag.index.snapshot import Snapshots
from rag.index.sqlite.changes import Changes
from rag.index.sqlite.database import Database
from rag.index.sqlite.validation import as_path, validate
from rag.index.sqlite.writer import StoreWriter
from rag.library import collections, opener
from rag.maintenance import backup_format
from rag.maintenance.backup_format import STORE, Manifest
from rag.models.named_models import MINILM
from rag.runtime.byte_sizes import format_size
from rag.runtime.drafts import draft_folder
from rag.runtime.files import SPECIAL, absolute, is_url, printable, special_in, sync_folder, writing
from rag.types.protocols import Embedder

COPIED_NOTES = (opener.NAME, collections.NAME, answerability.NAME, self_test.NAME)
"""Metadata of a library that also holds for its copy."""

FILES_TOGETHER = 500
"""Files recorded per commit."""


@dataclass(frozen=True, slots=True)
class ArchiveSummary:
    """The content of an archive: number of ``documents``, and size in ``bytes``."""

    documents: int
    bytes: int


def export(
    library: Path | str,
    target: str | Path,
    on_progress: OnProgress,
    *,
    force: bool = False,
    embedder: Embedder | None = None,
) -> ArchiveSummary:
    """Export the library in a folder or at a URL to an archive, which is complete or not there at
    all.

    ``embedder`` is the model of a shared library, by default the one that it records. Raises
    LibraryError, or InputError if the target exists and ``force`` is false, is not a regular file,
    or lies in the library.
    """
    path = absolute(target)
    busy = f"another process is writing {path}; wait for it, or choose another name"
    if is_url(library):
        from rag.cluster.lance import opener as shared

        _check_target(path, force=force)
        if not path.parent.is_dir():
            raise InputError(f"there is no folder {path.parent}; make it, or choose another place")
        engine, model = shared.open_library(
            str(library), create=False, model=None, dimensions=None, embedder=embedder
        )
        # Beside the archive, where there is enough space.
        with closing(engine), writing(path.parent), draft_folder(path, "copy", busy) as draft:
            folder = draft / "library"
            create_library(folder, model.fingerprint)
            with closing(EmbeddedEngine(folder, model.dimension)) as copy:
                copy_library(engine.pinned(), copy, on_progress)
            return export(folder, path, on_progress, force=force)
    folder = Path(library)
    if not opener.exists(folder):
        raise LibraryNotFound(f"there is no library in {folder}; name another: --library DIR")
    if path.is_relative_to(folder):
        raise InputError(f"{path} is inside the library itself; choose a place outside it")
    _check_target(path, force=force)
    with writing(path.parent), draft_folder(path, "export", busy) as draft:
        documents = _copy_store(store_folder(folder), draft / STORE, on_progress)
        files = {STORE: draft / STORE, **dict(_uploads(folder))}
        backup_format.write(draft / "archive", folder, files, on_progress)
        size = (draft / "archive").stat().st_size
        (draft / "archive").replace(path)
        sync_folder(path.parent)
    return ArchiveSummary(documents, size)


def import_archive(
    source: str | Path,
    library: Path | str,
    on_progress: OnProgress,
    *,
    embedder: Embedder | None = None,
) -> ArchiveSummary:
    """Restore a library from an archive, in a folder that is new or empty, or at a URL where there
    is none.

    ``embedder`` is the model of a shared library, by default the one that the archive records. An
    interrupted import leaves no library; the next one starts over. Raises InputError if the
    archive, the place or the space on the disk won't do, LibraryDamaged if a checksum or the
    store's validation fails, or another LibraryError.
    """
    if is_url(library):
        return _import_shared(source, str(library), on_progress, embedder)
    path, folder = absolute(source), Path(library)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is not empty; name a new folder: --library DIR")
    busy = (
        f"another process is importing a library into {folder}; wait for it, or choose another "
        "place: --library DIR"
    )
    with backup_format.read(path) as (content, manifest), writing(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder.parent).free
        if manifest.size > free:
            raise InputError(
                f"{folder.parent} has {format_size(free)} of space left, and the library needs "
                f"{format_size(manifest.size)}; make room, or choose another place: --library DIR"
            )
        with draft_folder(folder, "import", busy) as draft:
            unpacked = draft / "library"
            unpacked.mkdir()
            backup_format.unpack(content, manifest, unpacked, path, on_progress)
            documents = _settle(unpacked, manifest, folder, path, on_progress)
            if folder.exists():
                folder.rmdir()  # empty; only on Linux can a rename replace it
            unpacked.rename(folder)
            sync_folder(folder.parent)
    return ArchiveSummary(documents, manifest.size)


def _check_target(path: Path, *, force: bool) -> None:
    if special_in([path]):
        raise InputError(f"{path} can't be overwritten: {SPECIAL}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file, like {path / 'library.rag.zip'}")
    if path.exists() and not force:
        raise InputError(f"{path} exists; choose another name, or overwrite it: --force")


def _copy_store(store: Path, copy: Path, on_progress: OnProgress) -> int:
    """Make a snapshot of the store in a folder; returns its number of documents."""
    with closing(Database(store / STORE, MINILM.dimension)) as database:  # no vector is read here
        # Includes the write-ahead log, omits deleted text.
        database.check(database.fact("fingerprint"))
        database.copy(copy, lambda done, total: on_progress("store", done, total))
    with closing(Database(copy, MINILM.dimension)) as copied:
        return _documents(copied)


def _documents(database: Database) -> int:
    return int(database.value("SELECT count(*) FROM document"))


def _uploads(folder: Path) -> Iterator[tuple[str, Path]]:
    """Iterate over the uploaded files, without unfinished uploads."""
    for path in sorted((folder / "files").rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path


def _settle(
    library: Path, manifest: Manifest, folder: Path, path: Path, on_progress: OnProgress
) -> int:
    """Validate the store with its checksums, adapt it to its new path, and build its indexes;
    returns the number of documents.
    """
    before = as_path(manifest.folder)
    try:
        with closing(Database(library / STORE, MINILM.dimension)) as database:
            dimension = validate(database, before, partial(on_progress, "documents"))
            database.dimension = dimension or MINILM.dimension
            _check_notes(database, dimension, library, folder)
            database.use_journal()
            if str(before) != printable(folder):
                separator = "/" if isinstance(before, PurePosixPath) else "\\"
                StoreWriter(database).move(f"{before}{separator}", printable(folder) + os.sep)
            if dimension:  # an empty library is indexed once its model is known
                Snapshots(library, Changes(database)).publish()
            return _documents(database)
    except (LibraryDamaged, ModelError) as error:
        why = f"its store can't be used ({_reason(error, library)})"
        raise backup_format.damaged(path, why) from error
    except LibraryMismatch as error:
        raise LibraryMismatch(
            f"{path} was made by another version of rag ({_reason(error, library)}); index again"
        ) from error


def _reason(error: Exception, library: Path) -> str:
    """The error's message, without the path of a draft folder that no longer exists."""
    return str(error.__cause__ or error).replace(str(library / STORE), "it")


def _check_notes(database: Database, dimension: int, library: Path, folder: Path) -> None:
    """Check that the library can be opened with the model data it recorded."""
    if database.note(opener.NAME) is None:
        return
    try:
        embedder = opener.embedder_for(library, None, None)
        opener.require_model_outside(embedder.name, folder)
        found = embedder.fingerprint, embedder.dimension
    except (TypeError, ValueError, AttributeError) as error:
        raise LibraryDamaged(f"it does not say which model it was made with: {error}") from error
    expected = database.fact("fingerprint"), dimension or embedder.dimension
    if found != expected:
        raise LibraryDamaged("it was made with another model than it says")


def _import_shared(
    source: str | Path, url: str, on_progress: OnProgress, embedder: Embedder | None
) -> ArchiveSummary:
    from rag.cluster.lance import opener as shared

    shared.require_no_library(url)
    with tempfile.TemporaryDirectory(prefix="rag-") as name:
        folder = Path(name) / "library"
        found = import_archive(source, folder, on_progress)
        model = embedder or opener.embedder_for(folder, None, None)
        with closing(EmbeddedEngine(folder, model.dimension)) as whole:
            opener.check_model(whole, model)
            with shared.create_library(url, model) as engine:
                copy_library(whole, engine, on_progress)
    return found


def copy_library(this: Engine, to: Engine, on_progress: OnProgress) -> None:
    """Copy everything from one library to another, which must be empty."""
    held: dict[str, list[Source]] = {}
    for source in sorted(this.reader.sources(), key=lambda one: one.path):
        held.setdefault(source.document_id, []).append(source)
    in_files: dict[str, list[str]] = {}
    missing: set[str] = set()
    with to.writing():
        for done, (document_id, sources) in enumerate(sorted(held.items()), 1):
            # One that is being written right now will come with the next run over its file.
            if this.reader.has_document(document_id) and (
                document := this.reader.document(document_id)
            ):
                passages = this.reader.passages_of(document_id)
                encodings = this.reader.encodings(passages)
                made = [encodings[n] for n in range(len(passages))]
                to.writer.put(document, sources[0], passages, made)
                to.writer.add_sources(sources[1:])
                for one in sources:
                    in_files.setdefault(one.file, []).append(one.path)
            else:
                missing |= {one.file for one in sources}
            on_progress("documents", done, len(held))
        records = [
            (record, in_files.get(path, []))
            for path, record in this.reader.files().items()
            if path in in_files or path not in missing
        ]
        for start in range(0, len(records), FILES_TOGETHER):
            to.writer.record_files(records[start : start + FILES_TOGETHER])
    for name in COPIED_NOTES:
        to.notes.keep(name, this.notes.note(name))
    for rating in this.ratings.all():
        to.ratings.put(rating)
