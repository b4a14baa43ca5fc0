"""Messages between the stages. Transported by Ray, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rag.documents.registry import Means
from rag.index.sqlite import Source
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import Document, Failure, Passage, PassageEncoding
from rag.types.protocols import Embedder


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed file: path or URL, size, and modification time."""

    name: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that may have to be read. ``digest`` is that of its content, ``unchanged`` says
    whether it is the same as when last read, and ``means`` are the read options. ``again`` says
    that the content was read before and is to be replaced where the result differs.
    """

    file: Listed
    digest: str | None = None
    unchanged: bool = False
    means: Means = field(default_factory=Means)
    again: bool = False


@dataclass(frozen=True, slots=True)
class Digested:
    """A file's digest, or the reason there is none."""

    file: Listed
    digest: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A document split into passages; ``of`` is its file.

    ``encodings`` are set by the embedding stage, and stay None if the library already has the
    document. ``replaces`` says that the library has another version of it.
    """

    document: Document
    passages: Sequence[Passage]
    of: Looked
    encodings: Sequence[PassageEncoding] | None = None
    replaces: bool = False

    @property
    def source(self) -> Source:
        """Where the document was found."""
        return Source(self.document.source, self.of.file.name, self.document.id)


@dataclass(frozen=True, slots=True)
class End:
    """The end of a file: number of documents, and failures.

    Without a ``digest`` the file could not be accessed, and is not recorded as read.
    """

    of: Looked
    digest: str | None
    documents: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """Documents to embed and commit together, and ends of files.

    A file's end may be in a later parcel than its documents.
    """

    documents: tuple[Cut, ...]
    ends: tuple[End, ...]
    embedded: int = 0
    reused: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A document's current source; ``anew`` if it replaced an earlier reading."""

    source: Source
    anew: bool


@dataclass(frozen=True, slots=True)
class Written:
    """Result of writing a parcel."""

    held: tuple[Held, ...]
    ends: tuple[End, ...]
    passages: int
    embedded: int
    reused: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model to load on another machine: from the library's record, in which case it must be
    installed there, or, for any other type of embedder, the embedder itself.
    """

    remembered: str | None
    other: Embedder | None = None

    @classmethod
    def of(cls, embedder: Embedder) -> Model:
        """Describe an embedder."""
        if isinstance(embedder, SentenceTransformerEmbedder):
            return cls(embedder.to_remember)
        return cls(None, embedder)

    def embedder(self) -> Embedder:
        """Load the embedder, once per process."""
        return self.other or _loaded(self.remembered)


@dataclass(frozen=True, slots=True)
class Job:
    """Parameters of a run, shared by all stages."""

    library: str
    model: Model
    means: Means
    known: frozenset[str]
    """Ids of the documents in the library at the start of the run."""


@lru_cache(maxsize=1)
def _loaded(remembered: str | None) -> Embedder:
    return SentenceTransformerEmbedder.remembered(remembered)
