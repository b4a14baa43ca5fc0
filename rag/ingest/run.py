"""An index run: new and changed files are read, chunked, encoded and committed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.documents.discovery import Discovery
from rag.documents.pdf.tesseract import checked
from rag.documents.registry import Means
from rag.documents.sandbox.reader import Alive, ReadFile, read
from rag.errors import InputError
from rag.index.engine import Reader, Writer
from rag.index.sqlite import FileRecord, Source
from rag.ingest.encode_queue import Pending, Storing
from rag.ingest.passage_encoder import Encoder
from rag.ingest.report import Tally
from rag.ingest.staleness import (
    KEPT,
    at_least_as_before,
    is_just_so,
    must_be_read,
    read_by,
    with_kept,
)
from rag.runtime.files import SPECIAL, digest, is_ordinary, may_read, printable
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
class _Looked:
    """A file's size, modification time and digest, before it is read."""

    path: Path
    size: int
    modified_ns: int
    digest: str
    unchanged: bool
    """Whether its content is the same as when it was last read."""
    means: Means
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
    means: Means = field(default_factory=Means)
    """Options for reading, such as OCR; files that lacked one before are read again."""
    retry: bool = False
    """Read files again that failed, wholly or in part."""
    again: bool = False
    """Read every file again."""

    _files: dict[str, FileRecord] = field(init=False)
    _tally: Tally = field(init=False)
    _of_file: dict[str, list[Source]] = field(default_factory=dict)
    _doubtful: frozenset[str] = field(init=False)
    _encoder: Encoder = field(init=False)
    _storing: Storing = field(init=False)
    _rereading: set[Path] = field(default_factory=set)
    _replaced: set[str] = field(default_factory=set)
    _seen: int = 0
    _source: str = ""
    _gathered: int = 0

    def __post_init__(self) -> None:
        # Without folders, look up only the given files: the library may have many more.
        named = None if self.discovery.folders else [*map(printable, self.discovery.files)]
        self._files = self.reader.files(named)
        sources = {source.path: source for source in self.reader.sources(named)}
        self._tally = Tally(sources, self.discovery.named, self.discovery.skipped)
        self._tally.fails(self.discovery.failed)
        for source in sources.values():
            self._of_file.setdefault(source.file, []).append(source)
        asked = self.retry or self.means.ocr
        self._doubtful = self.reader.files_with_warnings() if asked else frozenset()
        self.heartbeat.follow(self._progress)
        self._encoder = Encoder(self.embedder, self.reader, self.heartbeat)
        self._storing = Storing(self._encoder, self.writer, self._stored, self._tally.lost)

    def run(self) -> None:
        """Run once; may be interrupted at any point."""
        with closing(self._encoder):
            self._run()

    def _run(self) -> None:
        self.heartbeat.enter("hashing")
        changed: list[_Looked] = []
        for path in self.discovery.files:
            self._tell(path)
            if looked := self._look_at(path):
                changed.append(looked)
        # Nothing has been written yet: these are the files as they were before the run. One lookup
        # for all of them, since the library may be remote.
        alike = self.reader.files_with(dict.fromkeys(looked.digest for looked in changed))
        settled = {one.digest: one for one in alike if not self._try_again(one)}
        held: dict[str, list[Source]] = {}
        for source in self.reader.sources(record.path for record in settled.values()):
            held.setdefault(source.file, []).append(source)
        again = {record.digest for record in alike}
        to_read: dict[Path, _Looked] = {}
        for looked in changed:
            if record := settled.get(looked.digest):
                self._take_over(looked, record, held.get(record.path, []))
                self._tell(looked.path)
            else:
                to_read[looked.path] = looked
                if looked.digest in again:
                    self._rereading.add(looked.path)
        # At once, and before anything is replaced: files may have swapped names.
        self._storing.finish()
        self.heartbeat.enter("reading")
        self._read(to_read)
        self._remove_vanished()

    def report(self) -> IndexReport:
        """What was done so far."""
        return self._tally.report(self._encoder.embedded, self._encoder.reused)

    def _look_at(self, path: Path) -> _Looked | None:
        """Decide whether a file has to be read; None if it is unchanged or can't be."""
        try:
            (name := str(path)).encode()
            facts = path.stat()
            if not is_ordinary(facts):
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
            means = at_least_as_before(self.means, record if unchanged else None)
            if record and means.ocr and not self.means.ocr and self._try_again(record):
                checked(means.ocr)  # raises if OCR isn't available any more
        except OSError as error:
            reason = f"it can't be read: {error.strerror or error}"
        except InputError as error:
            reason = str(error)
        except UnicodeEncodeError:
            reason = "its name is not valid UTF-8: rename it"
        else:
            return _Looked(path, facts.st_size, modified_ns, content, unchanged, means)
        self._fail(path, reason)
        return None

    def _try_again(self, record: FileRecord) -> bool:
        return self.again or must_be_read(
            record, self.means, in_doubt=record.path in self._doubtful, retry=self.retry
        )

    def _leave(self, record: FileRecord) -> None:
        """Record an unchanged file; earlier failures would happen again."""
        self._tally.leaves(source.path for source in self._of_file.get(record.path, []))
        self._tally.fails(record.failures)
        self._seen += 1

    def _fail(self, path: Path, reason: str) -> None:
        """Record a file that can't be opened; its documents in the library stay."""
        kept = KEPT if str(path) in self._of_file else ""
        self._tally.fails((Failure(printable(path), reason + kept),))
        self._seen += 1

    def _take_over(self, looked: _Looked, record: FileRecord, held: Iterable[Source]) -> None:
        """Record a file whose content was read before, under any name, without reading it again."""
        same, name = record.path, str(looked.path)
        sources = [
            Source(name + source.path.removeprefix(same), name, source.document_id)
            for source in held
        ]
        failures = tuple(
            replace(one, source=name + one.source.removeprefix(same)) for one in record.failures
        )
        for source in sources:
            self._storing.point(source)
            self._tally.holds(source)
        self._tally.fails(failures)
        self._end_file(looked, [source.path for source in sources], failures, record.seconds)

    def _read(self, to_read: dict[Path, _Looked]) -> None:
        """Read files and queue their documents for the store."""
        found: dict[Path, list[str]] = {}
        with closing(self._results(to_read.values())) as results:
            for result in results:
                if isinstance(result, Alive):
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
                self._storing.advance()
        self._storing.finish()

    def _results(
        self, to_read: Collection[_Looked]
    ) -> Generator[tuple[Path, Document] | ReadFile | Alive]:
        """The contents of the files, grouped by reading options, in order of first appearance."""
        for means in dict.fromkeys(looked.means for looked in to_read):
            paths = [looked.path for looked in to_read if looked.means == means]
            with closing(read(paths, means=means, beat=self.heartbeat)) as results:
                yield from results

    def _take_document(self, looked: _Looked, document: Document) -> None:
        source = Source(document.source, str(looked.path), document.id)
        if on_its_way := self._storing.pending(document.id):
            on_its_way.sources.append(source)
            return
        whole = dated(document, looked.modified_ns)
        pending = Pending(
            whole, run(lambda: passages(whole, self.embedder), self.heartbeat), [source]
        )
        if self._is_stored(pending, anew=looked.path in self._rereading):
            # At once: soon the last file that contains it may be read, and may have changed.
            self.writer.point([source])
            self._tally.holds(source)
        else:
            self._storing.put(pending)
            self._gathered += len(pending.passages)

    def _is_stored(self, pending: Pending, *, anew: bool) -> bool:
        """Whether the store has this document; with ``anew``, whether it has an identical one."""
        document = pending.document
        if not anew or document.id in self._replaced:
            return self.reader.has_document(document.id)
        if is_just_so(document, pending.passages, self.reader):
            return True
        self._replaced.add(document.id)
        return False

    def _take_end(self, looked: _Looked, result: ReadFile, sources: list[str]) -> None:
        failures = result.failures
        if looked.unchanged or not sources:
            before = [one.path for one in self._of_file.get(str(looked.path), [])]
            sources, failures = with_kept(sources, failures, before)
        self._tally.fails(failures)
        self._end_file(looked, sources, result.failures, result.seconds)

    def _end_file(
        self, looked: _Looked, sources: list[str], failures: tuple[Failure, ...], seconds: float
    ) -> None:
        record = FileRecord(
            path=str(looked.path),
            size=looked.size,
            modified_ns=looked.modified_ns,
            digest=looked.digest,
            reader=read_by(looked.means),
            failures=failures,
            seconds=seconds,
        )
        self._storing.settle(record, sources)
        self._seen += 1

    def _stored(self, pending: Pending) -> None:
        """Record that a document was committed."""
        for source in pending.sources:
            self._tally.holds(source, anew=pending.document.id in self._replaced)
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
            self._tally.lost(gone)

    def _tell(self, path: Path) -> None:
        self._source = printable(path)
        self.heartbeat.advance()

    def _progress(self) -> Progress:
        return Progress(
            files_done=self._seen,
            files=len(self.discovery.files),
            passages=self._gathered,
            embedded=self._encoder.embedded,
            reused=self._encoder.reused,
            source=self._source,
        )


def dated(document: Document, modified_ns: int) -> Document:
    """The document, with the modification date of its file if it has no date of its own."""
    if document.date:
        known = {"date_from": "document"} | dict(document.metadata)
        return replace(document, metadata=known)
    day = dt.datetime.fromtimestamp(modified_ns / 1e9, tz=dt.UTC).date()
    return replace(
        document, date=day, metadata=dict(document.metadata) | {"date_from": "file time"}
    )
