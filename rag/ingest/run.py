"""An index run: new and changed files are read, chunked, encoded and committed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.documents.discovery import Discovery
from rag.documents.pdf.ocr import check_languages
from rag.documents.registry import ReadOptions
from rag.documents.sandbox.reader import ReadFile, ReadProgress, read
from rag.errors import InputError
from rag.index.engine import Reader, Writer
from rag.index.records import Source
from rag.ingest.encode_queue import EncodeQueue, Pending
from rag.ingest.passage_encoder import Encoder
from rag.ingest.run_state import LATEST_NS, FileToRead, RunState, list_file
from rag.ingest.staleness import is_identical
from rag.runtime.files import digest, may_read, printable
from rag.runtime.heartbeat import Heartbeat, run
from rag.text.chunking import passages
from rag.types import Document, Failure
from rag.types.parts import whole_source
from rag.types.protocols import Embedder
from rag.types.reports import IndexReport, Progress


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

    _state: RunState = field(init=False)
    _encoder: Encoder = field(init=False)
    _queue: EncodeQueue = field(init=False)
    _replaced: set[str] = field(default_factory=set)
    _source: str = ""

    def __post_init__(self) -> None:
        # Without folders, look up only the given files: the library may have many more.
        among = None if self.discovery.folders else [*map(printable, self.discovery.files)]
        self._state = RunState(
            self.reader,
            among,
            self.discovery.named,
            self.discovery.skipped,
            self.options,
            self.retry,
            self.again,
        )
        self._state.add_failures(self.discovery.failed)
        self.heartbeat.follow(self._progress)
        self._encoder = Encoder(self.embedder, self.reader, self.heartbeat)
        self._queue = EncodeQueue(
            self._encoder, self.writer, self._record_stored, self._state.add_removed
        )

    def run(self) -> None:
        """Run once; may be interrupted at any point."""
        with closing(self._encoder):
            self._run()

    def _run(self) -> None:
        self.heartbeat.enter("hashing")
        changed: list[FileToRead] = []
        for path in self.discovery.files:
            self._advance(str(path))
            if file := self._changed(path):
                changed.append(file)
        # Nothing has been written yet: these are the files as they were before the run. One lookup
        # for all of them, since the library may be remote.
        digests = dict.fromkeys(one.digest or "" for one in changed)
        alike = self.reader.files(digests=digests).values()
        settled = {one.digest: one for one in alike if not self._state.must_be_read(one)}
        stored: dict[str, list[Source]] = {}
        for source in self.reader.sources(record.path for record in settled.values()):
            stored.setdefault(source.file, []).append(source)
        again = {record.digest for record in alike}
        to_read: list[FileToRead] = []
        for one in changed:
            if record := settled.get(one.digest or ""):
                ended, sources = self._state.take_over(one, record, stored.get(record.path, []))
                self._queue.add_sources(sources)
                self._queue.record_file(ended, [source.path for source in sources])
                self._advance(one.file.name)
            else:
                to_read.append(replace(one, again=one.digest in again))
        # At once, and before anything is replaced: files may have swapped names.
        self._queue.finish()
        self.heartbeat.enter("reading")
        self._read({Path(one.file.name): one for one in to_read})
        self._remove_vanished()

    def report(self) -> IndexReport:
        """What was done so far."""
        return self._state.report(self._encoder.embedded, self._encoder.reused)

    def _changed(self, path: Path) -> FileToRead | None:
        """The file, if it may have to be read; None if it is unchanged or can't be."""
        try:
            file = list_file(path)
            # A modification time that can't be stored proves nothing; compare the content instead.
            proves = abs(file.modified_ns) < LATEST_NS
            if proves and may_read(path) and self._state.is_current(file):
                self._state.leave(file.name)
                return None
            found = self._state.to_read(file, digest(path, self.heartbeat))
            ocr, record = found.options.ocr, self._state.files.get(file.name)
            if record and ocr and not self.options.ocr and self._state.must_be_read(record):
                check_languages(ocr)  # raises if OCR isn't available any more
        except OSError as error:
            reason = f"it can't be read: {error.strerror or error}"
        except InputError as error:
            reason = str(error)
        else:
            return found
        self._state.fail(Failure(printable(path), reason))
        return None

    def _read(self, to_read: dict[Path, FileToRead]) -> None:
        """Read files and queue their documents for the store."""
        found: dict[Path, list[str]] = {}
        with closing(self._results(to_read)) as results:
            for result in results:
                if isinstance(result, ReadProgress):
                    self._advance(str(result.path))
                    self.heartbeat(result.steps)
                elif isinstance(result, ReadFile):
                    one, sources = to_read[result.path], found.pop(result.path, [])
                    self._queue.record_file(
                        *self._state.end(
                            one, one.digest or "", sources, result.failures, result.seconds
                        )
                    )
                    self._advance(one.file.name)
                else:
                    path, document = result
                    found.setdefault(path, []).append(document.source)
                    self._take_document(to_read[path], document)
                self._queue.advance()
        self._queue.finish()

    def _results(
        self, to_read: dict[Path, FileToRead]
    ) -> Generator[tuple[Path, Document] | ReadFile | ReadProgress]:
        """The contents of the files, grouped by reading options, in order of first appearance."""
        for options in dict.fromkeys(one.options for one in to_read.values()):
            paths = [path for path, one in to_read.items() if one.options == options]
            with closing(read(paths, options=options, beat=self.heartbeat)) as results:
                yield from results

    def _take_document(self, one: FileToRead, document: Document) -> None:
        source = Source(document.source, one.file.name, document.id)
        if on_its_way := self._queue.pending(document.id):
            on_its_way.sources.append(source)
            return
        whole = with_date(document, one.file.modified_ns)
        pending = Pending(
            whole, run(lambda: passages(whole, self.embedder), self.heartbeat), [source]
        )
        if self._is_stored(pending, reread=one.again):
            # At once: soon the last file that contains it may be read, and may have changed.
            self.writer.add_sources([source])
            self._state.add(source)
        else:
            self._queue.put(pending)
            self._state.passages += len(pending.passages)

    def _is_stored(self, pending: Pending, *, reread: bool) -> bool:
        """Whether the store has this document; with ``reread``, whether it has an identical one."""
        document = pending.document
        if not reread or document.id in self._replaced:
            return self.reader.has_document(document.id)
        if is_identical(document, pending.passages, self.reader):
            return True
        self._replaced.add(document.id)
        return False

    def _record_stored(self, pending: Pending) -> None:
        """Record that a document was committed."""
        for source in pending.sources:
            self._state.add(source, changed=pending.document.id in self._replaced)
        self._advance(whole_source(pending.sources[0].path))

    def _remove_vanished(self) -> None:
        if not self.discovery.folders:
            return  # files given by name can't vanish; the library may be large
        present = {str(path) for path in self.discovery.files}
        sources, files = self._state.vanished(present, self.discovery.covers)
        if files:
            self.writer.remove(sources, files)
            self._state.add_removed(sources)

    def _advance(self, name: str) -> None:
        self._source = name
        self.heartbeat.advance()

    def _progress(self) -> Progress:
        embedded, reused = self._encoder.embedded, self._encoder.reused
        return self._state.progress(len(self.discovery.files), embedded, reused, self._source)


def with_date(document: Document, modified_ns: int) -> Document:
    """The document, with the modification date of its file if it has no date of its own."""
    if document.date:
        known = {"date_from": "document"} | dict(document.metadata)
        return replace(document, metadata=known)
    day = dt.datetime.fromtimestamp(modified_ns / 1e9, tz=dt.UTC).date()
    return replace(
        document, date=day, metadata=dict(document.metadata) | {"date_from": "file time"}
    )
