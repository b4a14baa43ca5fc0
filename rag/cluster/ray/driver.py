"""One indexing run, seen from the driver: like :class:`rag.ingest.run.Ingestion`, except that other
machines hash, read, embed and write.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from rag.cluster.lance.engine import SharedEngine
from rag.cluster.lance.workers import Workers
from rag.cluster.ray import Fleet
from rag.cluster.ray.messages import FileDigest, FileEnd, Job, ModelReference, WriteResult
from rag.cluster.ray.sources import Sources, list_files
from rag.documents.registry import ReadOptions
from rag.errors import AirGapped, InputError
from rag.index.engine import Engine
from rag.index.records import FileRecord
from rag.ingest.run_state import FileToRead, ListedFile, RunState
from rag.runtime import airgap
from rag.types import Failure
from rag.types.parts import whole_source
from rag.types.protocols import Embedder
from rag.types.reports import IndexReport, Progress

FILES_TOGETHER = 256
"""Files recorded as read per commit."""


class Machines(Workers, Protocol):
    """The driver's interface to a cluster: :class:`rag.cluster.ray.pipeline.Machines`."""

    def digests(self, files: Sequence[ListedFile]) -> Iterator[FileDigest]:
        """Compute the digests of files, in no particular order."""
        ...

    def index(self, files: Sequence[FileToRead], job: Job) -> Generator[WriteResult]:
        """Read, embed and write files; yields results in no particular order."""
        ...


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
        state = RunState(
            engine.reader, None, sources.named, sources.skipped, options, retry=retry, again=again
        )
        indexing = Indexing(sources, engine, embedder, there, on_progress, state)
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


@dataclass(slots=True)
class _Open:
    """A file in progress: its sources so far, and its end."""

    sources: list[str] = field(default_factory=list)
    end: FileEnd | None = None


@dataclass(slots=True)
class Indexing:
    """An indexing run. Documents are committed in batchs, and a file is recorded as read only
    after its documents; so whatever ends the run, everything committed stays, and the next run
    continues there. :meth:`report` gives the progress so far.
    """

    sources: Sources
    engine: Engine
    embedder: Embedder
    machines: Machines
    on_progress: Callable[[Progress], None]
    state: RunState

    _open: dict[str, _Open] = field(default_factory=dict)
    _to_record: list[tuple[FileRecord, list[str]]] = field(default_factory=list)
    _embedded: int = 0
    _reused: int = 0

    def run(self) -> None:
        """Execute the run, once; may be interrupted at any point."""
        self.state.add_failures(self.sources.failed)
        for one in self.sources.unreadable:
            self._fail(one)
        self._read(self._to_read(self._changed()))
        self._remove_vanished()

    def report(self) -> IndexReport:
        """The report on the run so far."""
        return self.state.report(self._embedded, self._reused)

    def _changed(self) -> list[ListedFile]:
        """Files whose size or modification time differs from when they were read."""
        changed = []
        for file in self.sources.files:
            if self.state.is_current(file):
                self.state.leave(file.name)
                self._report_progress(file.name)
            else:
                changed.append(file)
        return changed

    def _to_read(self, changed: Sequence[ListedFile]) -> list[FileToRead]:
        """Files whose content was not read before, under any path. For content already read, the
        library is updated at once, before anything is replaced, since files may have been moved.
        """
        state = self.state
        if not state.files:
            return [state.to_read(file, None) for file in changed]
        stored = {one.digest: one for one in state.files.values() if not state.must_be_read(one)}
        again = {one.digest for one in state.files.values() if state.must_be_read(one)}
        taken_over: list[tuple[FileToRead, FileRecord]] = []
        to_read = []
        for one in self.machines.digests(changed):
            if one.digest is None:
                self._fail(Failure(one.file.name, one.reason))
            elif same := stored.get(one.digest):
                taken_over.append((state.to_read(one.file, one.digest), same))
            else:
                to_read.append(
                    replace(state.to_read(one.file, one.digest), again=one.digest in again)
                )
        self._take_over(taken_over)
        order = {file.name: position for position, file in enumerate(changed)}
        return sorted(to_read, key=lambda one: order[one.file.name])

    def _take_over(self, files: Sequence[tuple[FileToRead, FileRecord]]) -> None:
        """Attach files whose content is already indexed, without reading them."""
        attached = []
        for one, same in files:
            record, sources = self.state.take_over(one, same, self.state.sources_of(same.path))
            attached += sources
            self._to_record.append((record, [source.path for source in sources]))
            self._report_progress(one.file.name)
        self.engine.writer.add_sources(attached)
        self.engine.writer.flush()
        self._record_files()

    def _read(self, to_read: Sequence[FileToRead]) -> None:
        """Have files read, embedded and written, and record them."""
        if not to_read:
            return
        job = Job(
            str(self.engine.location),
            ModelReference.of(self.embedder),
            self.state.options,
            self.state.documents,
        )
        # Closed in any case, so that no machine goes on writing afterwards.
        with closing(self.machines.index(to_read, job)) as results:
            for written in results:
                self._take(written)
                if len(self._to_record) >= FILES_TOGETHER:
                    self._record_files()
        self._record_files()

    def _take(self, written: WriteResult) -> None:
        self.state.passages += written.passages
        self._embedded += written.embedded
        self._reused += written.reused
        for held in written.held:
            self.state.add(held.source, changed=held.changed)
            self._opened(held.source.file).sources.append(held.source.path)
        for end in written.ends:
            self._opened(end.of.file.name).end = end
        touched = [one.source.file for one in written.held]
        touched += [end.of.file.name for end in written.ends]
        for name in dict.fromkeys(touched):
            self._end_if_complete(name)
        if written.held:
            self._report_progress(whole_source(written.held[-1].source.path))

    def _opened(self, name: str) -> _Open:
        return self._open.setdefault(name, _Open())

    def _end_if_complete(self, name: str) -> None:
        one = self._open[name]
        end = one.end
        if end is None or end.documents > len(one.sources):
            return
        del self._open[name]
        if end.digest is None:
            for failure in end.failures:
                self._fail(failure)
            return
        self._to_record.append(
            self.state.end(end.of, end.digest, one.sources, end.failures, end.seconds)
        )
        self._report_progress(name)

    def _record_files(self) -> None:
        records, self._to_record = self._to_record, []
        if records:
            self.state.add_removed(self.engine.writer.record_files(records))

    def _fail(self, failure: Failure) -> None:
        self.state.fail(failure)
        self._report_progress(failure.source)

    def _remove_vanished(self) -> None:
        if not self.sources.followed:
            return
        present = {file.name for file in self.sources.files}
        present |= {one.source for one in self.sources.unreadable}
        sources, files = self.state.vanished(present, self.sources.covers)
        if files:
            self.engine.writer.remove(sources, files)
            self.state.add_removed(sources)

    def _report_progress(self, name: str) -> None:
        files = len(self.sources.files) + len(self.sources.unreadable)
        self.on_progress(self.state.progress(files, self._embedded, self._reused, name))
