"""What runs a model: tokenised texts in, vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.types.arrays import TokenVectors, Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What one pass makes of texts: the vectors of each one's tokens, special ones included, and
    one vector a text, shape (texts, full dimension), of any length.
    """

    tokens: list[TokenVectors]
    texts: Vectors


class Runner(Protocol):
    """A model that was loaded."""

    def forward(self, encodings: Sequence[Encoding], prompt: str) -> Forward:
        """Run it over tokenised texts, any number of them, each led by the prompt."""
        ...
