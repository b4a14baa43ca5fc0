"""Messages between the stages. Transported by Ray, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.documents.registry import ReadOptions
from rag.index.records import Source
from rag.ingest.run_state import FileToRead, ListedFile
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import Document, Failure, Passage, PassageEncoding
from rag.types.protocols import Embedder


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
class CurrentSource:
    """A document's current source; ``changed`` if it replaced an earlier reading."""

    source: Source
    changed: bool


@dataclass(frozen=True, slots=True)
class WriteResult:
    """Result of writing a batch."""

    held: tuple[CurrentSource, ...]
    ends: tuple[FileEnd, ...]
    passages: int
    embedded: int
    reused: int


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


@dataclass(frozen=True, slots=True)
class Job:
    """Parameters of a run, shared by all stages."""

    library: str
    model: ModelReference
    options: ReadOptions
    known: frozenset[str]
    """Ids of the documents in the library at the start of the run."""


@lru_cache(maxsize=1)
def _load(record: str | None) -> Embedder:
    return SentenceTransformerEmbedder.from_record(record)
