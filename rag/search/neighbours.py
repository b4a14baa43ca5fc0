"""More like this: the passages most similar to a given one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.index.engine import Searcher
from rag.index.records import StoredPassage
from rag.types import Passage, Span
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
    own = _vectors([key], library)
    if key not in own:
        return ()
    (stored, vector) = own[key]
    found = library.nearest(vector, SENTENCES, SENTENCES).tolist()
    others = _vectors([one for one in found if one != key], library)
    likeness = {one: float(np.dot(vector, other)) for one, (_, other) in others.items()}
    taken: dict[str, int] = {}
    for one in sorted(others, key=lambda one: (-likeness[one], one)):
        text = others[one][0].passage.text
        if text != stored.passage.text:
            taken.setdefault(text, one)
    return tuple(
        Neighbour(
            passage=others[one][0].passage,
            title=others[one][0].title,
            source=others[one][0].sources[0],
            likeness=min(likeness[one], 1.0),
        )
        for one in list(taken.values())[:count]
    )


def mean_vector(sentences: Vectors, spans: Sequence[Span], leading: int) -> Vector:
    """One vector per passage, of unit norm: the mean of its sentences, weighted by length.

    Parameters
    ----------
    sentences
        Sentence vectors, shape (sentences, dimension).
    spans
        Their spans.
    leading
        How many of them are headings, which are left out unless there is nothing else.
    """
    weights = np.array([len(span) for span in spans], dtype=np.float64)
    if leading < len(spans):
        weights[:leading] = 0.0
    mean = weights @ sentences
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


def _vectors(keys: Sequence[int], library: Searcher) -> dict[int, tuple[StoredPassage, Vector]]:
    """Passages and their vectors, by key; those deleted are left out."""
    passages = library.passages(keys)
    found, counts, vectors = library.sentences(keys)
    each = np.split(vectors, np.cumsum(counts)[:-1])
    return {
        key: (passages[key], _vector(passages[key], sentences))
        for key, sentences in zip(found.tolist(), each, strict=False)  # even of none, one part
        if key in passages
    }


def _vector(stored: StoredPassage, sentences: Vectors) -> Vector:
    passage = stored.passage
    return mean_vector(sentences, passage.sentences, passage.leading)
