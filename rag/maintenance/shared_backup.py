"""Export and import of shared libraries.

There is one archive format: a shared library's archive can be restored to a folder on any machine,
and a folder's archive to object storage. Nothing is embedded again, and results are identical. The
conversion goes through a temporary folder.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from rag.confidence import answerability, self_test
from rag.errors import InputError
from rag.index.engine import Engine
from rag.index.folder import create_library
from rag.index.local_engine import EmbeddedEngine
from rag.index.records import Source
from rag.library import collections, opener
from rag.maintenance import backup_export, backup_import
from rag.maintenance.backup_format import ArchiveSummary, OnProgress
from rag.maintenance.draft_folders import draft_of
from rag.runtime.files import absolute, writing
from rag.types.protocols import Embedder

REMEMBERED = (opener.NAME, collections.NAME, answerability.NAME, self_test.NAME)
"""Metadata of a library that also holds for its copy."""

TOGETHER = 500
"""Batch size, in files."""


def export(
    url: str,
    target: str | Path,
    on_progress: OnProgress,
    *,
    force: bool = False,
    embedder: Embedder | None = None,
) -> ArchiveSummary:
    """Export the current state of the shared library at a URL to an archive.

    Parameters and errors are those of :func:`rag.maintenance.backup_export.export`; the
    ``embedder`` is by default the one that the library records.
    """
    from rag.cluster.lance import opener as shared

    path = absolute(target)
    backup_export.check(path, force=force)
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}; make it, or choose another place")
    engine, model = shared.open_library(
        url, create=False, model=None, dimensions=None, embedder=embedder
    )
    busy = f"another process is writing {path}; wait for it, or choose another name"
    # Beside the archive, where there is enough space.
    with writing(path.parent), draft_of(path, "copy", busy) as draft:
        folder = draft / "library"
        create_library(folder, model.fingerprint)
        copy = EmbeddedEngine(folder, model.dimension)
        try:
            copy_library(engine.pinned(), copy, on_progress)
        finally:
            copy.close()
            engine.close()
        return backup_export.export(folder, path, on_progress, force=force)


def import_archive(
    source: str | Path, url: str, on_progress: OnProgress, *, embedder: Embedder | None = None
) -> ArchiveSummary:
    """Restore an archive as a shared library, at a URL where there is none.

    Parameters and errors are those of :func:`rag.maintenance.backup_import.import_archive`. An
    interrupted import leaves no library; the next one starts over.
    """
    from rag.cluster.lance import opener as shared

    shared.require_no_library(url)
    with tempfile.TemporaryDirectory(prefix="rag-") as name:
        folder = Path(name) / "library"
        found = backup_import.import_archive(source, folder, on_progress)
        model = embedder or opener.embedder_for(folder, None, None)
        whole = EmbeddedEngine(folder, model.dimension)
        try:
            opener.check_model(whole.database, model)
            with shared.create_library(url, model) as engine:
                copy_library(whole, engine, on_progress)
        finally:
            whole.close()
    return found


def copy_library(this: Engine, to: Engine, on_progress: OnProgress) -> None:
    """Copy everything from one library to another, which must be empty."""
    held: dict[str, list[Source]] = {}
    for source in sorted(this.reader.sources(), key=lambda one: one.path):
        held.setdefault(source.document_id, []).append(source)
    whole: list[Source] = []
    with to.writing():
        for done, (document_id, sources) in enumerate(sorted(held.items()), 1):
            # One that is being written right now will come with the next run over its file.
            if this.reader.has_document(document_id):
                _copy_document(this, to, document_id, sources)
                whole += sources
            on_progress("documents", done, len(held))
        _copy_files(this, to, whole, of_some={one.file for some in held.values() for one in some})
    for name in REMEMBERED:
        to.notes.keep(name, this.notes.note(name))
    for rating in this.ratings.all():
        to.ratings.put(rating)


def _copy_document(this: Engine, to: Engine, document_id: str, sources: list[Source]) -> None:
    document = this.reader.document(document_id)
    if document is None:
        return
    passages = this.reader.passages_of(document_id)
    encodings = this.reader.encodings(passages)
    first, *others = sources
    to.writer.put(document, first, passages, [encodings[n] for n in range(len(passages))])
    to.writer.add_sources(others)


def _copy_files(this: Engine, to: Engine, whole: list[Source], *, of_some: set[str]) -> None:
    """Record the files as read, except those with missing documents."""
    found: dict[str, list[str]] = {}
    for source in whole:
        found.setdefault(source.file, []).append(source.path)
    records = [
        (record, found.get(path, []))
        for path, record in sorted(this.reader.files().items())
        if path in found or path not in of_some
    ]
    for start in range(0, len(records), TOGETHER):
        to.writer.record_files(records[start : start + TOGETHER])
