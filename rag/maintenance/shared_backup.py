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
from rag.index.folder import make
from rag.index.local_engine import EmbeddedEngine
from rag.index.sqlite import Source
from rag.library import collections, opener
from rag.maintenance import backup_export, backup_import
from rag.maintenance.backup_format import Archived, Tell
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
    tell: Tell,
    *,
    force: bool = False,
    embedder: Embedder | None = None,
) -> Archived:
    """Export the current state of the shared library at a URL to an archive.

    Parameters and errors are those of :func:`rag.maintenance.backup_export.export`; the
    ``embedder`` is by default the one that the library records.
    """
    from rag.cluster.lance import opener as shared

    path = absolute(target)
    backup_export.check(path, force=force)
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}; make it, or choose another place")
    engine, model = shared.opened(url, create=False, model=None, dimensions=None, embedder=embedder)
    busy = f"another process is writing {path}; wait for it, or choose another name"
    # Beside the archive, where there is enough space.
    with writing(path.parent), draft_of(path, "copy", busy) as draft:
        folder = draft / "library"
        make(folder, model.fingerprint)
        copy = EmbeddedEngine(folder, model.dimension)
        try:
            carry(engine.still(), copy, tell)
        finally:
            copy.close()
            engine.close()
        return backup_export.export(folder, path, tell, force=force)


def bring_in(
    source: str | Path, url: str, tell: Tell, *, embedder: Embedder | None = None
) -> Archived:
    """Restore an archive as a shared library, at a URL where there is none.

    Parameters and errors are those of :func:`rag.maintenance.backup_import.bring_in`. An
    interrupted import leaves no library; the next one starts over.
    """
    from rag.cluster.lance import opener as shared

    shared.see_that_there_is_none(url)
    with tempfile.TemporaryDirectory(prefix="rag-") as name:
        folder = Path(name) / "library"
        found = backup_import.bring_in(source, folder, tell)
        model = embedder or opener.embedder_for(folder, None, None)
        whole = EmbeddedEngine(folder, model.dimension)
        try:
            opener.checked(whole.database, model)
            with shared.being_made(url, model) as engine:
                carry(whole, engine, tell)
        finally:
            whole.close()
    return found


def carry(this: Engine, to: Engine, tell: Tell) -> None:
    """Copy everything from one library to another, which must be empty."""
    held: dict[str, list[Source]] = {}
    for source in sorted(this.reader.sources(), key=lambda one: one.path):
        held.setdefault(source.document_id, []).append(source)
    whole: list[Source] = []
    with to.writing():
        for done, (document_id, sources) in enumerate(sorted(held.items()), 1):
            # One that is being written right now will come with the next run over its file.
            if this.reader.has_document(document_id):
                _document(this, to, document_id, sources)
                whole += sources
            tell("documents", done, len(held))
        _files(this, to, whole, of_some={one.file for some in held.values() for one in some})
    for name in REMEMBERED:
        to.notes.keep(name, this.notes.note(name))
    for rating in this.ratings.all():
        to.ratings.put(rating)


def _document(this: Engine, to: Engine, document_id: str, sources: list[Source]) -> None:
    document = this.reader.document(document_id)
    if document is None:
        return
    passages = this.reader.passages_of(document_id)
    encodings = this.reader.encodings(passages)
    first, *others = sources
    to.writer.put(document, first, passages, [encodings[n] for n in range(len(passages))])
    to.writer.point(others)


def _files(this: Engine, to: Engine, whole: list[Source], *, of_some: set[str]) -> None:
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
        to.writer.settle(records[start : start + TOGETHER])
