"""The interface of a model, behind which any model can be plugged in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag.types import Passage, PassageEncoding, QueryEncoding
from rag.types.arrays import Offsets


class Tokenizer(Protocol):
    """What the chunker needs of a model: token offsets and the size of its window."""

    @property
    def window(self) -> int:
        """Maximum number of tokens in a text, without special tokens."""

    def tokens(self, text: str) -> Offsets:
        """Offsets of the tokens of ``text``, in order, without special tokens."""


class QuestionEncoder(Protocol):
    """What a search needs of a model."""

    def tokens(self, text: str) -> Offsets:
        """Offsets of the tokens of ``text``, in order, without special tokens."""

    def query(self, question: str) -> QueryEncoding:
        """Encode a question, truncated to the window."""


class Embedder(Tokenizer, QuestionEncoder, Protocol):
    """A model that turns passages and questions into vectors."""

    @property
    def dimension(self) -> int:
        """Length of every vector."""

    @property
    def name(self) -> str:
        """The model's display name."""

    @property
    def fingerprint(self) -> str:
        """Vectors may be compared only if their embedders' fingerprints are equal."""

    @property
    def late(self) -> bool:
        """Whether sentences are pooled from an encoding of their whole passage (late pooling)."""

    @property
    def backend(self) -> str:
        """Display name of the backend that encodes passages, with its precision."""

    @property
    def languages(self) -> frozenset[str]:
        """ISO codes of the languages that it was trained on; empty if unknown."""

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Encode passages, in order."""

    def queries(self, questions: Sequence[str]) -> list[QueryEncoding]:
        """Encode questions in a batch, as :meth:`query` does."""
