"""What a model must offer: the seam behind which any model can stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag.types import Passage, PassageEncoding, QueryEncoding
from rag.types.arrays import Offsets


class Tokenizer(Protocol):
    """What the chunker needs of a model: where its tokens lie, and how many it can read."""

    @property
    def window(self) -> int:
        """Most tokens that the model reads of one text, special tokens not counted."""
        ...

    def tokens(self, text: str) -> Offsets:
        """Where the tokens of ``text`` lie, in order, special tokens left out."""
        ...


class QuestionEncoder(Protocol):
    """What a search needs of a model."""

    def tokens(self, text: str) -> Offsets:
        """Where the tokens of ``text`` lie, in order, special tokens left out."""
        ...

    def query(self, question: str) -> QueryEncoding:
        """The encoding of a question; beyond the window it is cut."""
        ...


class Embedder(Tokenizer, QuestionEncoder, Protocol):
    """A model that turns passages and questions into vectors."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""
        ...

    @property
    def name(self) -> str:
        """The model's name, for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """Equal for two embedders only if their vectors may be compared."""
        ...

    @property
    def late(self) -> bool:
        """Whether sentences are read in the context of their passage, or each on its own."""
        ...

    @property
    def backend(self) -> str:
        """What passages run on, for people."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO codes of the languages that it was trained on; none where that is not known."""
        ...

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """One encoding a passage, in the same order."""
        ...

    def queries(self, questions: Sequence[str]) -> list[QueryEncoding]:
        """Those of :meth:`query`, of many questions at once."""
        ...
