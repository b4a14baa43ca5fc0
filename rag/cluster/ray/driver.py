"""One indexing run, seen from the driver: like :class:`rag.ingest.run.Ingestion`, except that other
machines hash, read, embed and write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cluster.lance.engine import SharedEngine
from rag.cluster.ray import Fleet
from rag.cluster.ray.sources import Sources, list_files
from rag.cluster.ray.stages import FileEnd, Job, ModelReference, WriteResult
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

if TYPE_CHECKING:
    from rag.cluster.ray.pipeline import Machines

FILES_TOGETHER = 256
"""Files recorded as read per commit."""


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
class Indexing:
    """An indexing run. Documents are committed in batches, and a file is recorded as read only
    after its documents; so whatever ends the run, everything committed stays, and the next run
    continues there. :meth:`report` gives the progress so far.
    """

    sources: Sources
    engine: Engine
    embedder: Embedder
    machines: Machines
    on_progress: Callable[[Progress], None]
    state: RunState

    _found: dict[str, list[str]] = field(default_factory=dict)
    _ends: dict[str, FileEnd] = field(default_factory=dict)
    _to_record: list[tuple[FileRecord, list[str]]] = field(default_factory=list)
    _embedded: int = 0
    _reused: int = 0

    def run(self) -> None:
        """Execute the run, once; may be interrupted at any point."""
        self.state.add_failures(self.sources.folders.failed)
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
        url = str(self.engine.location)
        job = Job(url, ModelReference.of(self.embedder), self.state.documents)
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
        for source, changed in written.sources:
            self.state.add(source, changed=changed)
            self._found.setdefault(source.file, []).append(source.path)
        self._ends |= {end.of.file.name: end for end in written.ends}
        for name, end in list(self._ends.items()):
            if end.documents <= len(self._found.get(name, ())):
                del self._ends[name]
                self._end(end, self._found.pop(name, []))
        if written.sources:
            self._report_progress(whole_source(written.sources[-1][0].path))

    def _end(self, end: FileEnd, sources: list[str]) -> None:
        """End a file whose documents have all been written."""
        if end.digest is None:
            for failure in end.failures:
                self._fail(failure)
            return
        self._to_record.append(
            self.state.end(end.of, end.digest, sources, end.failures, end.seconds)
        )
        self._report_progress(end.of.file.name)

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
