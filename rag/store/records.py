"""What goes into the store and comes out of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.types import Failure, Passage, TokenBits, Vectors


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file as it was when it was last read.

    ``reader`` is the version of rag that read it; ``failures`` is what of it could not be read,
    the whole file or documents in it.
    """

    path: str
    size: int
    modified_ns: int
    digest: str
    reader: str
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Source:
    """A place where a document was found: a file, or below a file that holds several."""

    path: str
    file: str
    document_id: str


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with the facts of its document that a hit shows."""

    key: int
    passage: Passage
    title: str
    date: dt.date | None
    date_from: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NewPassage:
    """What the indexes need of a passage they don't have yet."""

    key: int
    text: str
    title: str
    headings: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class StoredTokens:
    """The token bits of one passage, and how many tokens each of its sentences has."""

    counts: NDArray[np.int32]
    bits: TokenBits


@dataclass(frozen=True, slots=True, eq=False)
class PieceFrequencies:
    """In how many of ``passages`` passages each word piece occurs."""

    passages: int
    _frequency: Mapping[int, int]

    def of(self, pieces: NDArray[np.int32]) -> NDArray[np.int64]:
        """The number of passages with each of ``pieces``; 0 for those never seen."""
        return np.array([self._frequency.get(int(piece), 0) for piece in pieces], dtype=np.int64)
