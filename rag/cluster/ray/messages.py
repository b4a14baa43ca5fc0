"""What goes from stage to stage. Ray carries it; nothing of it is kept anywhere."""

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
    """A file as a listing has it: its path or URL, its size, and when it was last changed."""

    name: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that may have to be read. ``digest`` is that of its content, ``unchanged`` whether it
    is what it was when it was last read, and ``means`` what it is read with. ``again`` says that
    the library has what an earlier reading of the same content gave, which is to be replaced where
    it differs.
    """

    file: Listed
    digest: str | None = None
    unchanged: bool = False
    means: Means = field(default_factory=Means)
    again: bool = False


@dataclass(frozen=True, slots=True)
class Digested:
    """A file's digest, or why there is none."""

    file: Listed
    digest: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A document that was read and cut into passages; ``of`` is the file that it is in.

    ``encodings`` are there after embedding, and stay None where the library has the document.
    ``replaces`` says that the library had it otherwise.
    """

    document: Document
    passages: Sequence[Passage]
    of: Looked
    encodings: Sequence[PassageEncoding] | None = None
    replaces: bool = False

    @property
    def source(self) -> Source:
        """Where it was found."""
        return Source(self.document.source, self.of.file.name, self.document.id)


@dataclass(frozen=True, slots=True)
class End:
    """A file was read to its end: how many documents were in it, and what could not be read.

    Without a ``digest`` it could not even be looked at: then it is no file that was read.
    """

    of: Looked
    digest: str | None
    documents: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """Documents that go through the model, and into the library, together; and files that ended.

    A file's end may come in another parcel than its documents.
    """

    documents: tuple[Cut, ...]
    ends: tuple[End, ...]
    embedded: int = 0
    reused: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A source that holds a document now; ``anew`` where it was read otherwise before."""

    source: Source
    anew: bool


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a parcel."""

    held: tuple[Held, ...]
    ends: tuple[End, ...]
    passages: int
    embedded: int
    reused: int


@dataclass(frozen=True, slots=True)
class Model:
    """How another machine gets the embedder: from what the library remembers of its model, which
    must be there, too, or as it is, where it is another kind of embedder.
    """

    remembered: str | None
    other: Embedder | None = None

    @classmethod
    def of(cls, embedder: Embedder) -> Model:
        """That of an embedder."""
        if isinstance(embedder, SentenceTransformerEmbedder):
            return cls(embedder.to_remember)
        return cls(None, embedder)

    def embedder(self) -> Embedder:
        """The embedder, loaded once in a process."""
        return self.other or _loaded(self.remembered)


@dataclass(frozen=True, slots=True)
class Job:
    """What all stages of a run must know."""

    library: str
    model: Model
    means: Means
    known: frozenset[str]
    """The ids of the documents that the library had when the run began."""


@lru_cache(maxsize=1)
def _loaded(remembered: str | None) -> Embedder:
    return SentenceTransformerEmbedder.remembered(remembered)
