"""A stand-in for the model where a test is about files and crashes, and loading torch thousands
of times would hide nothing and cost hours: words are hashed to directions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from rag.types import Passage, PassageEncoding, QueryEncoding
from rag.types.arrays import Offsets, TokenVectors

_LEAST = 1e-6
"""So that a sentence without words has a direction, too."""


class HashingEmbedder:
    """Every word has a random direction of its own; a sentence is the sum of its words."""

    name = "hashing"
    fingerprint = "hashing 1"
    dimension = 64
    window = 50
    late = False
    backend = "hashes"
    languages: frozenset[str] = frozenset()

    def tokens(self, text: str) -> Offsets:
        """Words."""
        found = [match.span() for match in re.finditer(r"\w+", text)]
        return np.array(found, dtype=np.int64).reshape(-1, 2)

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Each word of each sentence."""
        for passage in passages:
            tokens = self.tokens(passage.text)
            pieces, vectors = self._look_up(passage.text, tokens)
            firsts = [span.start - passage.start for span in passage.sentences]
            owner = np.searchsorted(firsts, tokens[:, 0], side="right") - 1
            sums = np.full((len(firsts), self.dimension), _LEAST, dtype=np.float32)
            np.add.at(sums, owner, vectors)
            yield PassageEncoding(
                sentences=sums / np.linalg.norm(sums, axis=1, keepdims=True),
                counts=np.bincount(owner, minlength=len(firsts)).astype(np.int32),
                pieces=pieces,
                bits=np.packbits(vectors > 0, axis=1),
            )

    def query(self, question: str) -> QueryEncoding:
        """Each word, and their sum."""
        pieces, vectors = self._look_up(question, self.tokens(question))
        whole = vectors.sum(axis=0) + _LEAST
        return QueryEncoding(
            vector=(whole / np.linalg.norm(whole)).astype(np.float32),
            pieces=pieces,
            tokens=vectors,
            is_word=np.ones(len(pieces), dtype=bool),
            continued=np.zeros(len(pieces), dtype=bool),
        )

    def queries(self, questions: Sequence[str]) -> list[QueryEncoding]:
        """One by one."""
        return [self.query(one) for one in questions]

    def _look_up(self, text: str, tokens: Offsets) -> tuple[np.ndarray, TokenVectors]:
        words = [text[start:end].lower() for start, end in tokens.tolist()]
        known = [_piece_and_direction(word) for word in words]
        pieces = np.array([piece for piece, _ in known], dtype=np.int32)
        rows = np.array([direction for _, direction in known], dtype=np.float32)
        return pieces, rows.reshape(-1, self.dimension)


@cache
def _piece_and_direction(word: str) -> tuple[int, TokenVectors]:
    found = hashlib.sha256(word.encode()).digest()
    direction = np.random.default_rng(int.from_bytes(found[:8])).normal(size=64)
    return int.from_bytes(found[:2]), direction.astype(np.float32)
