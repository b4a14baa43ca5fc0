"""More like this: the passages most similar to a given one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.index.engine import Searcher
from rag.index.records import StoredPassage
from rag.types import Passage
from rag.types.arrays import Vector, Vectors

SENTENCES = 400
"""Nearest sentences retrieved; their passages are compared."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A passage similar to another one, with its document's title and source.

    ``likeness``, in [-1, 1], is the cosine of the two passages' mean sentence vectors; about 0 for
    unrelated passages, 1 for the same text.
    """

    passage: Passage
    title: str
    source: str
    likeness: float


def neighbours(key: int, count: int, *, library: Searcher) -> tuple[Neighbour, ...]:
    """The ``count`` passages most similar to the one with that key, best first.

    Passages with the same text count once, and copies of the passage itself are left out. Ties are
    broken by key. Empty if the passage is gone.
    """
    own = _read([key], library)
    if key not in own:
        return ()
    stored, vector = own[key]
    near = library.nearest(vector, SENTENCES, SENTENCES).tolist()
    others = _read([one for one in near if one != key], library)
    likeness = {one: float(np.dot(vector, other)) for one, (_, other) in others.items()}
    by_text: dict[str, Neighbour] = {}
    for one in sorted(others, key=lambda one: (-likeness[one], one)):
        other, _ = others[one]
        found = Neighbour(other.passage, other.title, other.sources[0], min(likeness[one], 1.0))
        if other.passage.text != stored.passage.text:
            by_text.setdefault(other.passage.text, found)
    return tuple(by_text.values())[:count]


def mean_vector(passage: Passage, sentences: Vectors) -> Vector:
    """One vector per passage, of unit norm: the mean of its sentences, weighted by length.

    Headings are left out unless there is nothing else.
    """
    weights = np.array([len(span) for span in passage.sentences], dtype=np.float64)
    if passage.leading < len(weights):
        weights[: passage.leading] = 0.0
    mean = weights @ sentences
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


def _read(keys: Sequence[int], library: Searcher) -> dict[int, tuple[StoredPassage, Vector]]:
    """Passages and their vectors, by key; those deleted are left out."""
    passages = library.passages(keys)
    found, counts, vectors = library.sentences(keys)
    each = np.split(vectors, np.cumsum(counts)[:-1])
    return {
        key: (passages[key], mean_vector(passages[key].passage, sentences))
        for key, sentences in zip(found.tolist(), each, strict=False)  # even of none, one part
        if key in passages
    }
