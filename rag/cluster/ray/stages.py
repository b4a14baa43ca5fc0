"""The steps on each machine, and what is passed between them. Does not import Ray.

What is passed on is transported by Ray, never stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from rag.cluster.lance.engine import SharedEngine
from rag.cluster.lance.opener import open_library
from rag.cluster.ray.sources import download
from rag.documents.dates import with_date
from rag.documents.registry import ReadOptions
from rag.documents.sandbox.reader import ReadFile, ReadProgress, read
from rag.index.records import Source
from rag.ingest.passage_encoder import Encoder
from rag.ingest.run_state import FileToRead, ListedFile, is_identical
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.files import digest, is_url
from rag.text.chunking import passages
from rag.types import Document, Failure, Passage, PassageEncoding
from rag.types.protocols import Embedder

_Sourced = TypeVar("_Sourced", Document, Failure)

PASSAGES_TOGETHER = 512
"""Passages per batch, unless one document has more. A batch is one commit; the model batches it
further by tokens."""


@dataclass(frozen=True, slots=True)
class ModelReference:
    """A model to load on another machine: from the library's record, in which case it must be
    installed there, or, for any other type of embedder, the embedder itself.
    """

    record: str | None
    other: Embedder | None = None

    @classmethod
    def of(cls, embedder: Embedder) -> ModelReference:
        """Describe an embedder."""
        if isinstance(embedder, SentenceTransformerEmbedder):
            return cls(embedder.record)
        return cls(None, embedder)

    def embedder(self) -> Embedder:
        """Load the embedder, once per process."""
        return self.other or _load(self.record)


@lru_cache(maxsize=1)
def _load(record: str | None) -> Embedder:
    return SentenceTransformerEmbedder.from_record(record)


@dataclass(frozen=True, slots=True)
class Job:
    """Parameters of a run, shared by all stages; ``known`` are the ids of the documents that the
    library had at the start.
    """

    library: str
    model: ModelReference
    known: frozenset[str]

    def open(self) -> tuple[SharedEngine, Embedder]:
        """The library and its model, on this machine."""
        return open_library(
            self.library, create=False, model=None, dimensions=None, embedder=self.model.embedder()
        )


@dataclass(frozen=True, slots=True)
class FileDigest:
    """A file's digest, or the reason there is none."""

    file: ListedFile
    digest: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ChunkedDocument:
    """A document split into passages; ``of`` is its file.

    ``encodings`` are set by the embedding stage, and stay None if the library already has the
    document. ``replaces`` says that the library has another version of it.
    """

    document: Document
    passages: Sequence[Passage]
    of: FileToRead
    encodings: Sequence[PassageEncoding] | None = None
    replaces: bool = False

    @property
    def source(self) -> Source:
        """Where the document was found."""
        return Source(self.document.source, self.of.file.name, self.document.id)


@dataclass(frozen=True, slots=True)
class FileEnd:
    """The end of a file: number of documents, and failures.

    Without a ``digest`` the file could not be accessed, and is not recorded as read.
    """

    of: FileToRead
    digest: str | None
    documents: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Documents to embed and commit together, and ends of files.

    A file's end may be in a later batch than its documents.
    """

    documents: tuple[ChunkedDocument, ...]
    ends: tuple[FileEnd, ...]
    embedded: int = 0
    reused: int = 0


@dataclass(frozen=True, slots=True)
class WriteResult:
    """Result of writing a batch: the sources that documents now have, each with whether another
    version of the document was replaced, and numbers of passages.
    """

    sources: tuple[tuple[Source, bool], ...]
    ends: tuple[FileEnd, ...]
    passages: int
    embedded: int
    reused: int


def compute_digests(files: Sequence[ListedFile]) -> list[FileDigest]:
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
    """Read files and split their documents into passages, in batches."""
    documents: list[ChunkedDocument] = []
    ends: list[FileEnd] = []
    count = 0
    for one in _parts(files, job):
        if isinstance(one, FileEnd):
            ends.append(one)
            continue
        documents.append(one)
        count += len(one.passages)
        if count >= PASSAGES_TOGETHER:
            yield Batch(tuple(documents), tuple(ends))
            documents, ends, count = [], [], 0
    yield Batch(tuple(documents), tuple(ends))


def _parts(files: Sequence[FileToRead], job: Job) -> Iterator[ChunkedDocument | FileEnd]:
    """The documents of each file and then its end, grouped by options."""
    for options in dict.fromkeys(one.options for one in files):
        with TemporaryDirectory() as folder, ExitStack() as copies:
            there: dict[Path, tuple[FileToRead, str]] = {}
            for position, one in enumerate(one for one in files if one.options == options):
                mine = Path(folder) / str(position)
                mine.mkdir()
                try:
                    content = _content(one.file.name, mine, copies)
                    there[content] = one, digest(content)
                except OSError as error:
                    failure = Failure(one.file.name, _reason(error))
                    yield FileEnd(one, None, 0, (failure,), 0.0)
            yield from _read(there, options, job)


def _read(
    there: Mapping[Path, tuple[FileToRead, str]], options: ReadOptions, job: Job
) -> Iterator[ChunkedDocument | FileEnd]:
    """Read local files one after the other, as on a single machine."""
    counts: Counter[Path] = Counter()
    for result in read(list(there), options=options, workers=1):
        if isinstance(result, ReadProgress):
            continue
        if isinstance(result, ReadFile):
            path = result.path
            file, sha256 = there[path]
            failures = tuple(_in_original(one, path, file) for one in result.failures)
            yield FileEnd(file, sha256, counts[path], failures, result.seconds)
            continue
        path, document = result
        file, _ = there[path]
        counts[path] += 1
        whole = with_date(_in_original(document, path, file), file.file.modified_ns)
        yield ChunkedDocument(whole, passages(whole, job.model.embedder()), file)


class Embedding:
    """Encodes the passages that the library lacks."""

    def __init__(self, job: Job) -> None:
        self._known = job.known
        engine, embedder = job.open()
        self._reader = engine.reader
        self._encoder = Encoder(embedder, self._reader)

    def __call__(self, batch: Batch) -> Batch:
        """Add encodings to a batch, except for documents already in the library."""
        asked = {one.document.id for one in batch.documents if not one.of.again}
        # Documents written by another run meanwhile are not excluded: their encodings are found
        # below.
        there = self._reader.whole(sorted(asked & self._known))
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
    """Commits batches. Commits are idempotent, as after losing a machine they may be repeated."""

    def __init__(self, job: Job) -> None:
        self._writer = job.open()[0].writer

    def __call__(self, batch: Batch) -> WriteResult:
        """Commit a whole batch."""
        for one in batch.documents:
            if one.encodings is None:
                self._writer.add_sources([one.source])
            else:
                self._writer.put(one.document, one.source, one.passages, one.encodings)
        self._writer.flush()
        return WriteResult(
            sources=tuple((one.source, one.replaces) for one in batch.documents),
            ends=batch.ends,
            passages=sum(len(one.passages) for one in batch.documents),
            embedded=batch.embedded,
            reused=batch.reused,
        )


def _in_original(one: _Sourced, copy: Path, file: FileToRead) -> _Sourced:
    """The same with a source in the original file instead of its copy."""
    return replace(one, source=file.file.name + one.source.removeprefix(str(copy)))


def _content(name: str, folder: Path, copies: ExitStack) -> Path:
    return copies.enter_context(download(name, folder)) if is_url(name) else Path(name)


def _reason(error: OSError) -> str:
    return f"it can't be read: {error.strerror or error}"
