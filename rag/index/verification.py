"""Check and repair the integrity of a library's folder.

The store is the source of truth, with a checksum of each document and each passage. Derived data
can be rebuilt: SQLite's indexes, checksums, the two search indexes, and the model's encodings. A
damaged text can't; its file has to be read again.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

from rag.errors import LibraryError
from rag.index.folder import locked
from rag.index.integrity import REPAIR, Fault, OnProgress, after_repair
from rag.index.snapshot import Snapshots
from rag.index.sqlite.catalogue import Catalogue
from rag.index.sqlite.changes import Changes
from rag.index.sqlite.database import Database
from rag.index.sqlite.reader import StoreReader
from rag.index.sqlite.store_check import (
    StoreCheck,
    delete_passages,
    mark_for_reading,
    recount,
    reindex,
)
from rag.index.sqlite.writer import StoreWriter
from rag.runtime.files import digest, writing
from rag.text.chunking import passages
from rag.types.parts import whole_source
from rag.types.protocols import Embedder
from rag.types.reports import Problem, Verification

_COPY = (
    "restore the library from a copy (rag import), or index your documents into a new one: "
    "--library DIR"
)


def verify(
    folder: Path,
    store: Path,
    database: Database,
    embedder: Embedder,
    on_progress: OnProgress,
    *,
    repair: bool,
) -> Verification:
    """Check everything in a library's ``folder``, where ``store`` is that of its database; with
    ``repair`` rebuild derived data. See :meth:`rag.Library.verify`.
    """
    snapshots = Snapshots(store, Changes(database), folder)
    began = time.perf_counter()
    with ExitStack() as held:
        if repair:
            held.enter_context(locked(folder))
            held.enter_context(writing(folder))
        check, found = _check(folder, database, snapshots, on_progress)
        if repair and found:
            _repair(snapshots, database, embedder, on_progress, found)
            check, remaining = _check(folder, database, snapshots, on_progress)
            found = after_repair(found, remaining)
    return Verification(
        documents=StoreReader(database).counts().documents,
        passages=check.passages,
        sentences=check.sentences,
        problems=tuple(found),
        seconds=time.perf_counter() - began,
    )


def _check(
    folder: Path, database: Database, snapshots: Snapshots, on_progress: OnProgress
) -> tuple[StoreCheck, list[Problem]]:
    """Check one snapshot of the store, and the indexes; returns counts and problems."""
    check = StoreCheck(database)
    with database.snapshot():
        on_progress("store", 0, 1)
        found = [Problem(one.what, _COPY, kind="restore") for one in check.structure()]
        on_progress("store", 1, 1)
        try:
            found += [
                _problem(database, one)
                for one in check.documents(lambda run, total: on_progress("documents", run, total))
            ]
            found += [_problem(database, one) for one in (*check.orphans(), *check.counts())]
        except LibraryError as error:  # too damaged to be listed
            found.append(Problem(str(error), _COPY, kind="restore"))
        found += _check_uploads(folder, database, on_progress)
    # Not part of the snapshot: a writer may have published since.
    on_progress("indexes", 0, 1)
    found += [Problem(one, REPAIR) for one in snapshots.faults()]
    on_progress("indexes", 1, 1)
    return check, found


def _problem(database: Database, fault: Fault) -> Problem:
    sources = Catalogue(database).sources(fault.document)
    return fault.problem(whole_source(sources[0].path) if sources else "")


def _check_uploads(folder: Path, database: Database, on_progress: OnProgress) -> list[Problem]:
    """Uploaded files that differ from what was read."""
    found = []
    files = StoreReader(database).files().values()
    uploads = [one for one in files if Path(one.path).is_relative_to(folder)]
    for run, record in enumerate(uploads, 1):
        try:
            found_digest = digest(record.path)
        except OSError:
            found_digest = None  # perhaps deleted on purpose
        if found_digest is not None and record.digest and found_digest != record.digest:
            what = "the uploaded file differs from what was read"
            found.append(Problem(what, "send it again", source=record.path, kind="resend"))
        on_progress("files", run, len(uploads))
    return found


def _repair(
    snapshots: Snapshots,
    database: Database,
    embedder: Embedder,
    on_progress: OnProgress,
    found: list[Problem],
) -> None:
    """Rebuild derived data. The writer's lock must be held."""
    if any(one.kind == "restore" for one in found):
        reindex(database)  # perhaps only SQLite's indexes are damaged
    damaged = dict.fromkeys(one.document for one in found if one.document)
    lost = {one.document for one in found if one.kind == "reread"}
    for number, document in enumerate(damaged, 1):
        if document in lost:
            mark_for_reading(database, document)
        else:
            _reencode(database, document, embedder)
        on_progress("repaired", number, len(damaged))
    check = StoreCheck(database)
    for _ in check.documents(lambda run, total: on_progress("documents", run, total)):
        pass  # the next check finds what is left; this counts
    recount(database, check)
    snapshots.rebuild()


def _reencode(database: Database, document_id: str, embedder: Embedder) -> None:
    document = StoreReader(database).document(document_id)
    sources = Catalogue(database).sources(document_id)
    if document is None or not sources:
        return  # it has no source: the next run of rag index finds its file
    broken = passages(document, embedder)
    encodings = list(embedder.passages(broken))
    delete_passages(database, document_id)
    StoreWriter(database).put(document, sources[0], broken, encodings)
