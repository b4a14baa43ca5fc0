"""Interface of a model's forward pass: tokenised texts in, vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.types.arrays import TokenVectors, Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """Result of a forward pass: token vectors per text, special tokens included, and one
    unnormalised vector per text, shape (texts, full dimension).
    """

    tokens: list[TokenVectors]
    texts: Vectors


class Runner(Protocol):
    """A loaded model."""

    def forward(self, encodings: Sequence[Encoding], prompt: str) -> Forward:
        """Run the model over any number of tokenised texts, each preceded by the prompt."""
        ...
