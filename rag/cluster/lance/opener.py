"""Open a shared library with the model it was created with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.cluster.lance.engine import SharedEngine
from rag.cluster.lance.notes import SharedNotes
from rag.cluster.lance.tables import Tables
from rag.errors import AirGapped, InputError, LibraryDamaged, LibraryMismatch, LibraryNotFound
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime import airgap
from rag.types.protocols import Embedder

FORMAT = "1"
"""Version of the table format."""

MODEL = "model"
"""Name of the note that holds the model's record."""


def open_library(
    url: str,
    *,
    create: bool,
    model: str | Path | None,
    dimensions: int | None,
    embedder: Embedder | None,
) -> tuple[SharedEngine, Embedder]:
    """Open the library at a URL; returns its engine and embedder.

    Parameters and errors are those of :meth:`rag.Library.open`.
    """
    _refuse_remote_in_airgap(url)
    tables = Tables(url)
    notes, there = SharedNotes(tables), tables.exist()
    if not (there or create):
        raise LibraryNotFound(
            f"there is no library at {url}; make one: rag index PATH --library {url}"
        )
    if embedder is None:
        if model:
            embedder = SentenceTransformerEmbedder.named(str(model), dimensions)
        elif there:
            embedder = SentenceTransformerEmbedder.from_record(notes.note(MODEL))
        else:
            embedder = SentenceTransformerEmbedder()
    if dimensions not in {None, embedder.dimension}:
        raise InputError(
            f"{url} keeps {embedder.dimension} dimensions; leave --dimensions out, or index into a"
            " new library"
        )
    if not there:
        tables.create(embedder.dimension)
        _write_format(notes, embedder)
    if isinstance(embedder, SentenceTransformerEmbedder) and notes.note(MODEL) is None:
        notes.keep(MODEL, embedder.record)
    _check(url, notes, embedder)
    return SharedEngine(tables), embedder


def require_no_library(url: str) -> None:
    """Refuse a URL that already has a complete library.

    Raises
    ------
    InputError
        If there is one.
    """
    _refuse_remote_in_airgap(url)
    tables = Tables(url)
    if tables.exist() and SharedNotes(tables).note("format") is not None:
        raise InputError(f"there is a library at {url}; name another place: --library URL")


@contextmanager
def create_library(url: str, embedder: Embedder) -> Iterator[SharedEngine]:
    """An engine for a new library, which becomes valid only at the end of the block."""
    tables = Tables(url)
    tables.create(embedder.dimension)
    for table in tables.all().values():
        table.delete("true")  # what an interrupted attempt left
    yield SharedEngine(tables)
    _write_format(SharedNotes(tables), embedder)


def _write_format(notes: SharedNotes, embedder: Embedder) -> None:
    notes.keep("fingerprint", embedder.fingerprint)
    notes.keep("format", FORMAT)


def _refuse_remote_in_airgap(url: str) -> None:
    """Refuse remote libraries in airgap mode: Lance opens its own connections, which the process's
    network block can't intercept.
    """
    is_here = url.startswith(("file://", "memory://")) or re.match(
        r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?/?$",
        os.environ.get("AWS_ENDPOINT_URL", ""),
    )
    if airgap.is_requested() and not is_here:
        raise AirGapped(
            f"--airgap: {url} is on another machine; ask a library in a folder: --library DIR"
        )


def _check(url: str, notes: SharedNotes, embedder: Embedder) -> None:
    """Refuse a library with another model or format version."""
    found, made = notes.note("format"), notes.note("fingerprint")
    if found is None:
        raise LibraryDamaged(
            f"the library at {url} is incomplete; import it again: rag import FILE"
        )
    if found != FORMAT:
        raise LibraryMismatch(
            f"{url} has format {found}, and this version of rag reads format {FORMAT};"
            " index again, into a new library: --library URL"
        )
    if made != embedder.fingerprint:
        raise LibraryMismatch(
            f"{url} was made with the model “{made}” and can't be used with"
            f" “{embedder.fingerprint}”; index your documents into a new library: --library URL"
        )
