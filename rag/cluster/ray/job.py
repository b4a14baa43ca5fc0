"""Run an indexing job on a cluster, from arguments to report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rag.cluster.lance.engine import SharedEngine
from rag.cluster.ray.driver import Indexing, Machines
from rag.cluster.ray.fleet import Fleet
from rag.cluster.ray.sources import list_files
from rag.documents.registry import ReadOptions
from rag.errors import AirGapped, InputError
from rag.index.engine import Engine
from rag.runtime import airgap
from rag.types.protocols import Embedder
from rag.types.reports import IndexReport, Progress


def index_on(
    fleet: Fleet,
    engine: Engine,
    embedder: Embedder,
    paths: Sequence[str | Path],
    on_progress: Callable[[Progress], None],
    *,
    exclude: Sequence[str],
    options: ReadOptions,
    retry: bool,
    again: bool,
) -> IndexReport:
    """Synchronise a shared library with folders, files, and prefixes in object storage.

    Raises
    ------
    InputError
        If the library is in a local folder, or there is no such cluster; nothing has been done
        then.
    SourceNotFound
        If one of the paths does not exist; nothing has been done then, either.
    """
    if not isinstance(engine, SharedEngine):
        raise InputError(
            f"{engine.location} is a library in a folder, which one machine at a time can write; "
            "index into a shared one (--library s3://bucket/name), or without --ray"
        )
    if airgap.is_requested():
        raise AirGapped("--airgap: a Ray cluster involves other machines; index without --ray")
    sources = list_files(paths, exclude)
    with machines(fleet) as there, engine.writing(by=there):
        indexing = Indexing(
            sources, engine, embedder, there, on_progress, options=options, retry=retry, again=again
        )
        indexing.run()
    return indexing.report()


def machines(fleet: Fleet) -> AbstractContextManager[Machines]:
    """Connect to a Ray cluster for the duration of a block.

    Raises
    ------
    InputError
        If Ray is not installed, or there is no such cluster.
    """
    try:
        from rag.cluster.ray import pipeline
    except ImportError as error:
        raise InputError(
            f"indexing on Ray takes more packages: pip install 'rag[cluster]' ({error})"
        ) from error
    return pipeline.machines(fleet)
