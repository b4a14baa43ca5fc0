"""The processing steps on each machine. Does not import Ray."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from rag.cluster.lance.opener import open_library
from rag.cluster.ray import object_storage
from rag.cluster.ray.messages import (
    Batch,
    ChunkedDocument,
    CurrentSource,
    FileDigest,
    FileEnd,
    Job,
    WriteResult,
)
from rag.documents.sandbox.reader import ReadFile, ReadProgress, read
from rag.ingest.passage_encoder import Encoder
from rag.ingest.run import with_date
from rag.ingest.run_state import FileToRead, ListedFile, is_identical
from rag.runtime.files import digest, is_url
from rag.text.chunking import passages
from rag.types import Document, Failure

PASSAGES_TOGETHER = 512
"""Passages per batch, unless one document has more. A batch is one commit; the model batches it
further by tokens."""


def compute_digests(files: Iterable[ListedFile]) -> list[FileDigest]:
    """Compute the digests of files."""
    found = []
    for file in files:
        with TemporaryDirectory() as folder, ExitStack() as copies:
            try:
                content = _content(file.name, Path(folder), copies)
                found.append(FileDigest(file, digest(content)))
            except OSError as error:
                found.append(FileDigest(file, None, _reason(error)))
    return found


def read_files(files: Sequence[FileToRead], job: Job) -> Iterator[Batch]:
    """Read files and split their documents into passages, in batchs."""
    gathered = _BatchBuilder()
    for options in dict.fromkeys(one.options for one in files):
        with TemporaryDirectory() as folder, ExitStack() as copies:
            alike = [one for one in files if one.options == options]
            there: dict[Path, tuple[FileToRead, str]] = {}
            for position, one in enumerate(alike):
                mine = Path(folder) / str(position)
                mine.mkdir()
                try:
                    content = _content(one.file.name, mine, copies)
                    there[content] = one, digest(content)
                except OSError as error:
                    failure = Failure(one.file.name, _reason(error))
                    gathered.ends.append(FileEnd(one, None, 0, (failure,), 0.0))
            yield from _read(there, replace(job, options=options), gathered)
    yield gathered.batch()


class Embedding:
    """Encodes the passages that the library lacks."""

    def __init__(self, job: Job) -> None:
        self._job = job
        engine, self._embedder = open_library(
            job.library, create=False, model=None, dimensions=None, embedder=job.model.embedder()
        )
        self._reader = engine.reader
        self._encoder = Encoder(self._embedder, self._reader)

    def __call__(self, batch: Batch) -> Batch:
        """Add encodings to a batch, except for documents already in the library."""
        asked = {one.document.id for one in batch.documents if not one.of.again}
        # Documents written by another run meanwhile are not excluded: their encodings are found
        # below.
        there = self._reader.whole(sorted(asked & self._job.known))
        new = [one for one in batch.documents if not self._is_there(one, there)]
        before = self._encoder.embedded, self._encoder.reused
        made = self._encoder.begin([passage for one in new for passage in one.passages])
        encoded = {id(one): tuple(islice(made, len(one.passages))) for one in new}
        return replace(
            batch,
            documents=tuple(
                replace(one, encodings=encoded[id(one)], replaces=one.of.again)
                if id(one) in encoded
                else one
                for one in batch.documents
            ),
            embedded=self._encoder.embedded - before[0],
            reused=self._encoder.reused - before[1],
        )

    def _is_there(self, one: ChunkedDocument, there: frozenset[str]) -> bool:
        if one.of.again:
            return is_identical(one.document, one.passages, self._reader)
        return one.document.id in there


class Writing:
    """Commits batchs. Commits are idempotent, as after losing a machine they may be repeated."""

    def __init__(self, job: Job) -> None:
        engine, _ = open_library(
            job.library, create=False, model=None, dimensions=None, embedder=job.model.embedder()
        )
        self._writer = engine.writer

    def __call__(self, batch: Batch) -> WriteResult:
        """Commit a whole batch."""
        for one in batch.documents:
            if one.encodings is None:
                self._writer.add_sources([one.source])
            else:
                self._writer.put(one.document, one.source, one.passages, one.encodings)
        self._writer.flush()
        return WriteResult(
            held=tuple(CurrentSource(one.source, one.replaces) for one in batch.documents),
            ends=batch.ends,
            passages=sum(len(one.passages) for one in batch.documents),
            embedded=batch.embedded,
            reused=batch.reused,
        )


class _BatchBuilder:
    """Collects documents until there are enough for a batch."""

    def __init__(self) -> None:
        self.documents: list[ChunkedDocument] = []
        self.ends: list[FileEnd] = []
        self._passages = 0

    def add(self, one: ChunkedDocument) -> Iterator[Batch]:
        """Add a document; yields a batch if it is full."""
        self.documents.append(one)
        self._passages += len(one.passages)
        if self._passages >= PASSAGES_TOGETHER:
            yield self.batch()

    def batch(self) -> Batch:
        """Take everything collected as a batch."""
        found = Batch(tuple(self.documents), tuple(self.ends))
        self.documents, self.ends, self._passages = [], [], 0
        return found


def _read(
    there: dict[Path, tuple[FileToRead, str]], job: Job, gathered: _BatchBuilder
) -> Iterator[Batch]:
    """Read local files one after the other, as on a single machine."""
    counts = dict.fromkeys(there, 0)
    for result in read(list(there), options=job.options, workers=1):
        if isinstance(result, ReadProgress):
            continue
        if isinstance(result, ReadFile):
            request, sha256 = there[result.path]
            failures = tuple(
                replace(one, source=_original_source(one.source, result.path, request))
                for one in result.failures
            )
            end = FileEnd(request, sha256, counts[result.path], failures, result.seconds)
            gathered.ends.append(end)
            continue
        path, document = result
        request, _ = there[path]
        counts[path] += 1
        yield from gathered.add(_chunk(document, path, request, job))


def _chunk(document: Document, path: Path, request: FileToRead, job: Job) -> ChunkedDocument:
    renamed = replace(document, source=_original_source(document.source, path, request))
    whole = with_date(renamed, request.file.modified_ns)
    return ChunkedDocument(whole, passages(whole, job.model.embedder()), request)


def _original_source(source: str, copy: Path, request: FileToRead) -> str:
    """Map a source in the copy of a file to the original."""
    return request.file.name + source.removeprefix(str(copy))


def _content(name: str, folder: Path, copies: ExitStack) -> Path:
    return (
        copies.enter_context(object_storage.download(name, folder)) if is_url(name) else Path(name)
    )


def _reason(error: OSError) -> str:
    return f"it can't be read: {error.strerror or error}"
