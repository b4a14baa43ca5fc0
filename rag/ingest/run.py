"""An index run: new and changed files are read, chunked, encoded and committed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.documents.discovery import Discovery
from rag.documents.pdf.tesseract import check_languages
from rag.documents.registry import ReadOptions
from rag.documents.sandbox.reader import ReadFile, ReadProgress, read
from rag.errors import InputError
from rag.index.engine import Reader, Writer
from rag.index.records import FileRecord, Source
from rag.ingest.encode_queue import EncodeQueue, Pending
from rag.ingest.passage_encoder import Encoder
from rag.ingest.report import ReportBuilder
from rag.ingest.staleness import (
    KEPT,
    is_identical,
    keep_unreadable,
    must_be_read,
    options_for,
    reader_version,
)
from rag.runtime.files import SPECIAL, digest, is_regular, may_read, printable
from rag.runtime.heartbeat import Heartbeat, run
from rag.text.chunking import passages
from rag.types import Document, Failure
from rag.types.parts import whole_source
from rag.types.protocols import Embedder
from rag.types.reports import IndexReport, Progress

_LAST_NS = 2**63 - 1
"""The latest time that SQLite can store, in April 2262; some systems allow later ones, and broken
programs write them."""


@dataclass(frozen=True, slots=True)
class _FileState:
    """A file's size, modification time and digest, before it is read."""

    path: Path
    size: int
    modified_ns: int
    digest: str
    unchanged: bool
    """Whether its content is the same as when it was last read."""
    options: ReadOptions
    """The options with which to read it."""


@dataclass(slots=True)
class Ingestion:
    """One run over a set of files. The caller must hold the writer's lock.

    Every document is committed on its own, and a file is recorded as read only after its documents
    are. So however the run ends, what is committed stays, and the next run resumes there.
    :meth:`report` returns what was done so far.
    """

    discovery: Discovery
    embedder: Embedder
    reader: Reader
    writer: Writer
    heartbeat: Heartbeat
    options: ReadOptions = field(default_factory=ReadOptions)
    """Options for reading, such as OCR; files that lacked one before are read again."""
    retry: bool = False
    """Read files again that failed, wholly or in part."""
    again: bool = False
    """Read every file again."""

    _files: dict[str, FileRecord] = field(init=False)
    _report: ReportBuilder = field(init=False)
    _of_file: dict[str, list[Source]] = field(default_factory=dict)
    _doubtful: frozenset[str] = field(init=False)
    _encoder: Encoder = field(init=False)
    _queue: EncodeQueue = field(init=False)
    _rereading: set[Path] = field(default_factory=set)
    _replaced: set[str] = field(default_factory=set)
    _files_done: int = 0
    _source: str = ""
    _gathered: int = 0

    def __post_init__(self) -> None:
        # Without folders, look up only the given files: the library may have many more.
        named = None if self.discovery.folders else [*map(printable, self.discovery.files)]
        self._files = self.reader.files(named)
        sources = {source.path: source for source in self.reader.sources(named)}
        self._report = ReportBuilder(sources, self.discovery.named, self.discovery.skipped)
        self._report.add_failures(self.discovery.failed)
        for source in sources.values():
            self._of_file.setdefault(source.file, []).append(source)
        asked = self.retry or self.options.ocr
        self._doubtful = self.reader.files_with_warnings() if asked else frozenset()
        self.heartbeat.follow(self._progress)
        self._encoder = Encoder(self.embedder, self.reader, self.heartbeat)
        self._queue = EncodeQueue(
            self._encoder, self.writer, self._record_stored, self._report.add_removed
        )

    def run(self) -> None:
        """Run once; may be interrupted at any point."""
        with closing(self._encoder):
            self._run()

    def _run(self) -> None:
        self.heartbeat.enter("hashing")
        changed: list[_FileState] = []
        for path in self.discovery.files:
            self._tell(path)
            if state := self._look_at(path):
                changed.append(state)
        # Nothing has been written yet: these are the files as they were before the run. One lookup
        # for all of them, since the library may be remote.
        alike = self.reader.files_with(dict.fromkeys(state.digest for state in changed))
        settled = {one.digest: one for one in alike if not self._try_again(one)}
        stored: dict[str, list[Source]] = {}
        for source in self.reader.sources(record.path for record in settled.values()):
            stored.setdefault(source.file, []).append(source)
        again = {record.digest for record in alike}
        to_read: dict[Path, _FileState] = {}
        for state in changed:
            if record := settled.get(state.digest):
                self._take_over(state, record, stored.get(record.path, []))
                self._tell(state.path)
            else:
                to_read[state.path] = state
                if state.digest in again:
                    self._rereading.add(state.path)
        # At once, and before anything is replaced: files may have swapped names.
        self._queue.finish()
        self.heartbeat.enter("reading")
        self._read(to_read)
        self._remove_vanished()

    def report(self) -> IndexReport:
        """What was done so far."""
        return self._report.build(self._encoder.embedded, self._encoder.reused)

    def _look_at(self, path: Path) -> _FileState | None:
        """Decide whether a file has to be read; None if it is unchanged or can't be."""
        try:
            (name := str(path)).encode()
            facts = path.stat()
            if not is_regular(facts):
                self._fail(path, SPECIAL)
                return None
            record = self._files.get(name)
            modified_ns = min(max(facts.st_mtime_ns, -_LAST_NS), _LAST_NS)
            # A modification time that can't be stored proves nothing; compare the content instead.
            same_look = modified_ns == facts.st_mtime_ns and (
                record and (record.size, record.modified_ns) == (facts.st_size, modified_ns)
            )
            if record and same_look and may_read(path) and not self._try_again(record):
                self._leave(record)
                return None
            content = digest(path, self.heartbeat)
            unchanged = record is not None and record.digest == content
            options = options_for(self.options, record if unchanged else None)
            if record and options.ocr and not self.options.ocr and self._try_again(record):
                check_languages(options.ocr)  # raises if OCR isn't available any more
        except OSError as error:
            reason = f"it can't be read: {error.strerror or error}"
        except InputError as error:
            reason = str(error)
        except UnicodeEncodeError:
            reason = "its name is not valid UTF-8: rename it"
        else:
            return _FileState(path, facts.st_size, modified_ns, content, unchanged, options)
        self._fail(path, reason)
        return None

    def _try_again(self, record: FileRecord) -> bool:
        return self.again or must_be_read(
            record, self.options, in_doubt=record.path in self._doubtful, retry=self.retry
        )

    def _leave(self, record: FileRecord) -> None:
        """Record an unchanged file; earlier failures would happen again."""
        self._report.add_unchanged(source.path for source in self._of_file.get(record.path, []))
        self._report.add_failures(record.failures)
        self._files_done += 1

    def _fail(self, path: Path, reason: str) -> None:
        """Record a file that can't be opened; its documents in the library stay."""
        note = KEPT if str(path) in self._of_file else ""
        self._report.add_failures((Failure(printable(path), reason + note),))
        self._files_done += 1

    def _take_over(self, state: _FileState, record: FileRecord, stored: Iterable[Source]) -> None:
        """Record a file whose content was read before, under any name, without reading it again."""
        same, name = record.path, str(state.path)
        sources = [
            Source(name + source.path.removeprefix(same), name, source.document_id)
            for source in stored
        ]
        failures = tuple(
            Failure(name + one.source.removeprefix(same), one.reason) for one in record.failures
        )
        for source in sources:
            self._queue.add_source(source)
            self._report.add(source)
        self._report.add_failures(failures)
        self._end_file(state, [source.path for source in sources], failures, record.seconds)

    def _read(self, to_read: dict[Path, _FileState]) -> None:
        """Read files and queue their documents for the store."""
        found: dict[Path, list[str]] = {}
        with closing(self._results(to_read.values())) as results:
            for result in results:
                if isinstance(result, ReadProgress):
                    self._tell(result.path)
                    self.heartbeat(result.steps)
                elif isinstance(result, ReadFile):
                    sources = found.pop(result.path, [])
                    self._take_end(to_read[result.path], result, sources)
                    self._tell(result.path)
                else:
                    path, document = result
                    found.setdefault(path, []).append(document.source)
                    self._take_document(to_read[path], document)
                self._queue.advance()
        self._queue.finish()

    def _results(
        self, to_read: Collection[_FileState]
    ) -> Generator[tuple[Path, Document] | ReadFile | ReadProgress]:
        """The contents of the files, grouped by reading options, in order of first appearance."""
        for options in dict.fromkeys(state.options for state in to_read):
            paths = [state.path for state in to_read if state.options == options]
            with closing(read(paths, options=options, beat=self.heartbeat)) as results:
                yield from results

    def _take_document(self, state: _FileState, document: Document) -> None:
        source = Source(document.source, str(state.path), document.id)
        if on_its_way := self._queue.pending(document.id):
            on_its_way.sources.append(source)
            return
        whole = with_date(document, state.modified_ns)
        pending = Pending(
            whole, run(lambda: passages(whole, self.embedder), self.heartbeat), [source]
        )
        if self._is_stored(pending, reread=state.path in self._rereading):
            # At once: soon the last file that contains it may be read, and may have changed.
            self.writer.add_sources([source])
            self._report.add(source)
        else:
            self._queue.put(pending)
            self._gathered += len(pending.passages)

    def _is_stored(self, pending: Pending, *, reread: bool) -> bool:
        """Whether the store has this document; with ``reread``, whether it has an identical one."""
        document = pending.document
        if not reread or document.id in self._replaced:
            return self.reader.has_document(document.id)
        if is_identical(document, pending.passages, self.reader):
            return True
        self._replaced.add(document.id)
        return False

    def _take_end(self, state: _FileState, result: ReadFile, sources: list[str]) -> None:
        failures = result.failures
        if state.unchanged or not sources:
            before = [one.path for one in self._of_file.get(str(state.path), [])]
            sources, failures = keep_unreadable(sources, failures, before)
        self._report.add_failures(failures)
        self._end_file(state, sources, result.failures, result.seconds)

    def _end_file(
        self, state: _FileState, sources: list[str], failures: tuple[Failure, ...], seconds: float
    ) -> None:
        record = FileRecord(
            path=str(state.path),
            size=state.size,
            modified_ns=state.modified_ns,
            digest=state.digest,
            reader=reader_version(state.options),
            failures=failures,
            seconds=seconds,
        )
        self._queue.record_file(record, sources)
        self._files_done += 1

    def _record_stored(self, pending: Pending) -> None:
        """Record that a document was committed."""
        for source in pending.sources:
            self._report.add(source, changed=pending.document.id in self._replaced)
        self._tell(Path(whole_source(pending.sources[0].path)))

    def _remove_vanished(self) -> None:
        if not self.discovery.folders:
            return  # files given by name can't vanish; the library may be large
        present = {str(path) for path in self.discovery.files}
        # A killed run may have stored a file's documents without recording the file as read.
        known = dict.fromkeys([*self._files, *self._of_file])
        files = [one for one in known if one not in present and self.discovery.covers(one)]
        if files:
            gone = [source.path for file in files for source in self._of_file.get(file, [])]
            self.writer.remove(gone, files)
            self._report.add_removed(gone)

    def _tell(self, path: Path) -> None:
        self._source = printable(path)
        self.heartbeat.advance()

    def _progress(self) -> Progress:
        return Progress(
            files_done=self._files_done,
            files=len(self.discovery.files),
            passages=self._gathered,
            embedded=self._encoder.embedded,
            reused=self._encoder.reused,
            source=self._source,
        )


def with_date(document: Document, modified_ns: int) -> Document:
    """The document, with the modification date of its file if it has no date of its own."""
    if document.date:
        known = {"date_from": "document"} | dict(document.metadata)
        return replace(document, metadata=known)
    day = dt.datetime.fromtimestamp(modified_ns / 1e9, tz=dt.UTC).date()
    return replace(
        document, date=day, metadata=dict(document.metadata) | {"date_from": "file time"}
    )
