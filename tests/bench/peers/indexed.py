"""What every peer makes of documents: chunks, and a search for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Search = Callable[[str, int], list[int]]
"""A question → the numbers of the best chunks, best first, at most so many."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, as the peer cut it."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """Chunks of documents, each document's in its order, and how they are searched."""

    chunks: Sequence[Chunk]
    search: Search
