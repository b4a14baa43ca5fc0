"""One indexing run, seen from the driver: like :class:`rag.ingest.run.Ingestion`, except that other
machines hash, read, embed and write.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from rag.cluster.lance.workers import Workers
from rag.cluster.ray.messages import (
    FileDigest,
    FileEnd,
    FileToRead,
    Job,
    ListedFile,
    ModelReference,
    WriteResult,
)
from rag.cluster.ray.sources import Sources
from rag.documents.registry import ReadOptions
from rag.index.engine import Engine
from rag.index.records import FileRecord, Source
from rag.ingest.report import ReportBuilder
from rag.ingest.staleness import KEPT, keep_unreadable, must_be_read, options_for, reader_version
from rag.runtime.files import printable
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


@dataclass(slots=True)
class _Open:
    """A file in progress: its sources so far, and its end."""

    sources: list[str] = field(default_factory=list)
    end: FileEnd | None = None


@dataclass(slots=True)
class Indexing:
    """An indexing run. Documents are committed in parcels, and a file is recorded as read only
    after its documents; so whatever ends the run, everything committed stays, and the next run
    continues there. :meth:`report` gives the progress so far.
    """

    sources: Sources
    engine: Engine
    embedder: Embedder
    machines: Machines
    on_progress: Callable[[Progress], None]
    options: ReadOptions = field(default_factory=ReadOptions)
    retry: bool = False
    again: bool = False

    _files: dict[str, FileRecord] = field(init=False)
    _known: frozenset[str] = field(init=False)
    _report: ReportBuilder = field(init=False)
    _of_file: dict[str, list[Source]] = field(default_factory=dict)
    _doubtful: frozenset[str] = field(init=False)
    _open: dict[str, _Open] = field(default_factory=dict)
    _settling: list[tuple[FileRecord, list[str]]] = field(default_factory=list)
    _files_done: int = 0
    _gathered: int = 0
    _embedded: int = 0
    _reused: int = 0

    def __post_init__(self) -> None:
        reader = self.engine.reader
        self._files = reader.files()
        before = {source.path: source for source in reader.sources()}
        self._known = frozenset(source.document_id for source in before.values())
        self._report = ReportBuilder(before, self.sources.named, self.sources.skipped)
        self._report.add_failures(self.sources.failed)
        for source in before.values():
            self._of_file.setdefault(source.file, []).append(source)
        asked = self.retry or self.options.ocr
        self._doubtful = reader.files_with_warnings() if asked else frozenset()

    def run(self) -> None:
        """Execute the run, once; may be interrupted at any point."""
        for one in self.sources.unreadable:
            self._fail(one)
        self._read(self._to_read(self._changed()))
        self._remove_vanished()

    def report(self) -> IndexReport:
        """The report on the run so far."""
        return self._report.build(self._embedded, self._reused)

    def _changed(self) -> list[ListedFile]:
        """Files whose size or modification time differs from when they were read."""
        changed = []
        for file in self.sources.files:
            record = self._files.get(file.name)
            alike = record and (record.size, record.modified_ns) == (file.size, file.modified_ns)
            if record and alike and not self._try_again(record):
                self._report.add_unchanged(
                    source.path for source in self._of_file.get(file.name, [])
                )
                self._report.add_failures(record.failures)
                self._advance(file.name)
            else:
                changed.append(file)
        return changed

    def _try_again(self, record: FileRecord) -> bool:
        return self.again or must_be_read(
            record, self.options, in_doubt=record.path in self._doubtful, retry=self.retry
        )

    def _to_read(self, changed: Sequence[ListedFile]) -> list[FileToRead]:
        """Files whose content was not read before, under any path. For content already read, the
        library is updated at once, before anything is replaced, since files may have been moved.
        """
        if not self._files:
            return [FileToRead(file, options=self.options) for file in changed]
        by_digest = {
            record.digest: record for record in self._files.values() if not self._try_again(record)
        }
        again = {one.digest for one in self._files.values() if self._try_again(one)}
        taken_over: list[tuple[FileToRead, FileRecord]] = []
        to_read = []
        for one in self.machines.digests(changed):
            if one.digest is None:
                self._fail(Failure(one.file.name, one.reason))
                continue
            candidate = self._state_of(one, read_again=one.digest in again)
            if same := by_digest.get(one.digest):
                taken_over.append((candidate, same))
            else:
                to_read.append(candidate)
        self._take_over(taken_over)
        order = {file.name: position for position, file in enumerate(changed)}
        return sorted(to_read, key=lambda one: order[one.file.name])

    def _state_of(self, one: FileDigest, *, read_again: bool) -> FileToRead:
        record = self._files.get(one.file.name)
        unchanged = record is not None and record.digest == one.digest
        options = options_for(self.options, record if unchanged else None)
        return FileToRead(
            one.file, one.digest, unchanged=unchanged, options=options, again=read_again
        )

    def _take_over(self, files: Sequence[tuple[FileToRead, FileRecord]]) -> None:
        """Attach files whose content is already indexed, without reading them."""
        writer = self.engine.writer
        pointing = []
        for candidate, record in files:
            name, same = candidate.file.name, record.path
            sources = [
                Source(name + one.path.removeprefix(same), name, one.document_id)
                for one in self._of_file.get(same, [])
            ]
            failures = tuple(
                Failure(name + one.source.removeprefix(same), one.reason) for one in record.failures
            )
            pointing += sources
            for source in sources:
                self._report.add(source)
            self._report.add_failures(failures)
            ended = _record(candidate, record.digest, failures, record.seconds)
            self._settling.append((ended, [one.path for one in sources]))
            self._advance(name)
        writer.add_sources(pointing)
        writer.flush()
        self._settle_all()

    def _read(self, to_read: Sequence[FileToRead]) -> None:
        """Have files read, embedded and written, and record them."""
        if not to_read:
            return
        job = Job(
            str(self.engine.location), ModelReference.of(self.embedder), self.options, self._known
        )
        # Closed in any case, so that no machine goes on writing afterwards.
        with closing(self.machines.index(to_read, job)) as results:
            for written in results:
                self._take(written)
                if len(self._settling) >= FILES_TOGETHER:
                    self._settle_all()
        self._settle_all()

    def _take(self, written: WriteResult) -> None:
        self._gathered += written.passages
        self._embedded += written.embedded
        self._reused += written.reused
        for held in written.held:
            self._report.add(held.source, changed=held.changed)
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
        end, sources = one.end, one.sources
        if end is None or end.documents > len(sources):
            return
        del self._open[name]
        failures = end.failures
        if end.digest is None:
            for failure in failures:
                self._fail(failure)
            return
        if end.of.unchanged or not sources:
            before = [source.path for source in self._of_file.get(name, [])]
            sources, failures = keep_unreadable(sources, failures, before)
        self._report.add_failures(failures)
        record = _record(end.of, end.digest, end.failures, end.seconds)
        self._settling.append((record, sources))
        self._advance(name)

    def _settle_all(self) -> None:
        settling, self._settling = self._settling, []
        if settling:
            self._report.add_removed(self.engine.writer.record_files(settling))

    def _fail(self, failure: Failure) -> None:
        """Report a file that can't be accessed; its documents stay in the library."""
        note = KEPT if failure.source in self._of_file else ""
        self._report.add_failures([Failure(failure.source, failure.reason + note)])
        self._advance(failure.source)

    def _remove_vanished(self) -> None:
        if not self.sources.followed:
            return
        present = {file.name for file in self.sources.files}
        present |= {one.source for one in self.sources.unreadable}
        # A killed run may have stored a file's documents without recording the file.
        known = dict.fromkeys([*self._files, *self._of_file])
        files = [one for one in known if one not in present and self.sources.covers(one)]
        if files:
            gone = [source.path for file in files for source in self._of_file.get(file, [])]
            self.engine.writer.remove(gone, files)
            self._report.add_removed(gone)

    def _advance(self, name: str) -> None:
        self._files_done += 1
        self._report_progress(name)

    def _report_progress(self, name: str) -> None:
        self.on_progress(
            Progress(
                files_done=self._files_done,
                files=len(self.sources.files) + len(self.sources.unreadable),
                passages=self._gathered,
                embedded=self._embedded,
                reused=self._reused,
                source=printable(name),
            )
        )


def _record(
    candidate: FileToRead, digest: str, failures: tuple[Failure, ...], seconds: float
) -> FileRecord:
    return FileRecord(
        path=candidate.file.name,
        size=candidate.file.size,
        modified_ns=candidate.file.modified_ns,
        digest=digest,
        reader=reader_version(candidate.options),
        failures=failures,
        seconds=seconds,
    )
