"""An index run: new and changed files are read, chunked, encoded and committed.

Encoding is double-buffered. While the model encodes one batch of documents, the next is gathered;
once that is large enough, it is handed to the model and the encoded one is committed. So the model
never waits as long as there is work.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np

from rag.documents.dates import with_date
from rag.documents.discovery import Discovery
from rag.documents.pdf.ocr import check_languages
from rag.documents.registry import ReadOptions
from rag.documents.sandbox.reader import ReadFile, ReadProgress, read
from rag.errors import InputError
from rag.index.engine import Engine
from rag.index.records import FileRecord, Source
from rag.ingest.passage_encoder import Encoder
from rag.ingest.run_state import LATEST_NS, FileToRead, RunState, is_identical, list_file
from rag.runtime.files import digest, may_read, printable
from rag.runtime.heartbeat import Heartbeat, run_reporting, with_beats
from rag.text.chunking import passages
from rag.types import Document, Failure, Passage, PassageEncoding
from rag.types.arrays import Vectors
from rag.types.parts import whole_source
from rag.types.protocols import Embedder
from rag.types.reports import IndexReport, Progress

PASSAGES_TOGETHER = 512
"""Passages gathered while the model is busy: enough to batch texts of similar length, few enough
that a crash costs seconds."""

PASSAGES_AT_ONCE = 64
"""… and while it is idle."""

CHARACTERS_TOGETHER = 1_000_000
"""Maximum characters of documents gathered, plus one document."""

FILES_TOGETHER = 256
"""Files recorded as read in one transaction if nothing needs the model."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A document not stored yet, with every source that has it."""

    document: Document
    passages: list[Passage]
    sources: list[Source]


@dataclass(slots=True)
class _Batch:
    """Documents by id, sources of documents already stored, and records of files that end here."""

    documents: dict[str, _Pending] = field(default_factory=dict)
    more_sources: list[Source] = field(default_factory=list)
    records: list[tuple[FileRecord, list[str]]] = field(default_factory=list)
    passages: int = 0
    characters: int = 0


class Ingestion:
    """One run over a set of files. The caller must hold the writer's lock.

    Every document is committed on its own, and a file is recorded as read only after its documents
    are. So however the run ends, what is committed stays, and the next run resumes there.
    :meth:`report` returns what was done so far.
    """

    def __init__(
        self,
        discovery: Discovery,
        embedder: Embedder,
        engine: Engine,
        heartbeat: Heartbeat,
        *,
        options: ReadOptions,
        retry: bool,
        again: bool,
    ) -> None:
        self._discovery = discovery
        self._embedder = embedder
        self._reader = engine.reader
        self._writer = engine.writer
        self._heartbeat = heartbeat
        # Without folders, look up only the given files: the library may have many more.
        among = None if discovery.folders else [*map(printable, discovery.files)]
        self._state = RunState(
            engine.reader,
            among,
            discovery.named,
            discovery.skipped,
            options,
            retry=retry,
            again=again,
        )
        self._state.add_failures(discovery.failed)
        self._encoder = Encoder(embedder, engine.reader, heartbeat)
        self._gathered, self._encoding = _Batch(), _Batch()
        self._encodings: Iterator[PassageEncoding] = iter(())
        self._replaced: set[str] = set()
        self._source = ""
        heartbeat.follow(self._progress)

    def run(self) -> None:
        """Run once; may be interrupted at any point."""
        with closing(self._encoder):
            self._heartbeat.enter("hashing")
            to_read = self._take_over(self._changed())
            self._heartbeat.enter("reading")
            self._read({Path(one.file.name): one for one in to_read})
            self._remove_vanished()

    def report(self) -> IndexReport:
        """What was done so far."""
        return self._state.report(self._encoder.embedded, self._encoder.reused)

    def _changed(self) -> list[FileToRead]:
        """The files that may have to be read."""
        found = []
        for path in self._discovery.files:
            self._advance(str(path))
            try:
                if one := self._to_read(path):
                    found.append(one)
            except OSError as error:
                reason = f"it can't be read: {error.strerror or error}"
                self._state.fail(Failure(printable(path), reason))
            except InputError as error:
                self._state.fail(Failure(printable(path), str(error)))
        return found

    def _to_read(self, path: Path) -> FileToRead | None:
        """A file that may have to be read; None if it is unchanged."""
        file = list_file(path)
        # A modification time that can't be stored proves nothing; compare the content instead.
        proves = abs(file.modified_ns) < LATEST_NS
        if proves and may_read(path) and self._state.is_current(file):
            self._state.leave(file.name)
            return None
        found = self._state.to_read(file, digest(path, self._heartbeat))
        ocr, record = found.options.ocr, self._state.files.get(file.name)
        is_of_earlier = ocr != self._state.options.ocr
        if record and ocr and is_of_earlier and self._state.must_be_read(record):
            check_languages(ocr)  # raises if OCR isn't available any more
        return found

    def _take_over(self, changed: list[FileToRead]) -> list[FileToRead]:
        """Give files whose content was read before, under any name, its documents; returns the
        others.
        """
        # Nothing has been written yet: these are the files as they were before the run. One lookup
        # for all of them, since the library may be remote.
        digests = dict.fromkeys(one.digest or "" for one in changed)
        alike = self._reader.files(digests=digests).values()
        settled = {one.digest: one for one in alike if not self._state.must_be_read(one)}
        stored: dict[str, list[Source]] = {}
        for source in self._reader.sources(record.path for record in settled.values()):
            stored.setdefault(source.file, []).append(source)
        again = {record.digest for record in alike}
        to_read: list[FileToRead] = []
        for one in changed:
            if record := settled.get(one.digest or ""):
                ended, sources = self._state.take_over(one, record, stored.get(record.path, []))
                self._gathered.more_sources += sources
                self._gathered.records.append((ended, [source.path for source in sources]))
                self._advance(one.file.name)
            else:
                to_read.append(replace(one, again=one.digest in again))
        # At once, and before anything is replaced: files may have swapped names.
        self._commit_all()
        return to_read

    def _read(self, to_read: dict[Path, FileToRead]) -> None:
        """Read files, and chunk, encode and commit their documents."""
        found: dict[Path, list[str]] = {}
        with closing(self._results(to_read)) as results:
            for result in results:
                if isinstance(result, ReadProgress):
                    self._advance(str(result.path))
                    self._heartbeat(result.steps)
                elif isinstance(result, ReadFile):
                    one, sources = to_read[result.path], found.pop(result.path, [])
                    ended = self._state.end(
                        one, one.digest or "", sources, result.failures, result.seconds
                    )
                    self._gathered.records.append(ended)
                    self._advance(one.file.name)
                else:
                    path, document = result
                    found.setdefault(path, []).append(document.source)
                    self._take_document(to_read[path], document)
                if self._has_enough():
                    self._commit()
        self._commit_all()

    def _results(
        self, to_read: dict[Path, FileToRead]
    ) -> Generator[tuple[Path, Document] | ReadFile | ReadProgress]:
        """The contents of the files, grouped by reading options, in order of first appearance."""
        for options in dict.fromkeys(one.options for one in to_read.values()):
            paths = [path for path, one in to_read.items() if one.options == options]
            with closing(read(paths, options=options, beat=self._heartbeat)) as results:
                yield from results

    def _take_document(self, one: FileToRead, document: Document) -> None:
        """Chunk a document and gather it, unless the store has it."""
        source = Source(document.source, one.file.name, document.id)
        for batch in (self._gathered, self._encoding):
            if pending := batch.documents.get(document.id):
                pending.sources.append(source)
                return
        whole = with_date(document, one.file.modified_ns)
        cut = run_reporting(
            lambda beat: passages(whole, self._embedder, beat=beat), self._heartbeat
        )
        if self._is_stored(whole, cut, reread=one.again):
            # At once: soon the last file that contains it may be read, and may have changed.
            self._writer.add_sources([source])
            self._state.add(source)
            return
        self._gathered.documents[document.id] = _Pending(whole, cut, [source])
        self._gathered.passages += len(cut)
        self._gathered.characters += len(whole.text)
        self._state.passages += len(cut)

    def _is_stored(self, document: Document, cut: list[Passage], *, reread: bool) -> bool:
        """Whether the store has this document; with ``reread``, whether it has an identical one."""
        if not reread or document.id in self._replaced:
            return self._reader.has_document(document.id)
        if is_identical(document, cut, self._reader):
            return True
        self._replaced.add(document.id)
        return False

    def _has_enough(self) -> bool:
        """Whether enough has been gathered for the model or for a transaction."""
        gathered = self._gathered
        return (
            gathered.passages >= (PASSAGES_TOGETHER if self._encoder.busy else PASSAGES_AT_ONCE)
            or gathered.characters >= CHARACTERS_TOGETHER
            or len(gathered.records) >= FILES_TOGETHER
        )

    def _commit_all(self) -> None:
        self._commit()
        self._commit()

    def _commit(self) -> None:
        """Hand the gathered batch to the model, and commit the previous one."""
        encoded, encodings = self._encoding, self._encodings
        self._encoding, self._gathered = self._gathered, _Batch()
        self._encodings = self._encoder.begin(
            [passage for one in self._encoding.documents.values() for passage in one.passages]
        )
        for one in encoded.documents.values():
            first, *others = one.sources
            # All of them before the store is locked, so that a reader's rating need not wait for
            # the model. Half precision, as in the store, takes half the memory.
            made = map(_to_half_precision, islice(encodings, len(one.passages)))
            self._writer.put(
                one.document, first, one.passages, with_beats(list(made), self._heartbeat)
            )
            encoded.more_sources += others
            for source in one.sources:
                self._state.add(source, changed=one.document.id in self._replaced)
            self._advance(whole_source(first.path))
        # Files are recorded as read only after their documents are in the store.
        if encoded.more_sources:
            self._writer.add_sources(encoded.more_sources)
        if encoded.records:
            self._state.add_removed(self._writer.record_files(encoded.records))
        self._writer.flush()

    def _remove_vanished(self) -> None:
        if not self._discovery.folders:
            return  # files given by name can't vanish; the library may be large
        present = {str(path) for path in self._discovery.files}
        sources, files = self._state.vanished(present, self._discovery.covers)
        if files:
            self._writer.remove(sources, files)
            self._state.add_removed(sources)

    def _advance(self, name: str) -> None:
        self._source = name
        self._heartbeat.advance()

    def _progress(self) -> Progress:
        files, encoder = len(self._discovery.files), self._encoder
        return self._state.progress(files, encoder.embedded, encoder.reused, self._source)


def _to_half_precision(encoding: PassageEncoding) -> PassageEncoding:
    halves = cast("Vectors", encoding.sentences.astype(np.float16))
    return replace(encoding, sentences=halves)
