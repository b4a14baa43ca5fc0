"""How many of the nearest sentences an index proposes, measured on the library itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors.faiss_index import FaissIndex
from rag.types.arrays import Vectors

QUESTIONS = 200
"""How many are asked."""

BEST = 10
"""Nearest sentences that each should find."""

PROPOSED = 300
"""Nearest sentences that a search looks at: those of them count as found."""

APART = 0.75
"""How much of two other sentences makes one a question. Such questions lie as far from their
nearest sentences as people's (a cosine of .52, of SQuAD's .55), and an index finds as many."""

ENOUGH = 0.995
"""Of the nearest sentences, found: then fewer lists are tried. People's questions miss a bit more
than the library's own: of 66,000 sentences of papers .984 of theirs are found then."""

TOGETHER = 8192
"""Sentences that are compared with the questions at once."""


class Nearest:
    """The exact nearest sentences of some questions, found while all sentences go by."""

    def __init__(self, questions: Vectors) -> None:
        self._questions = questions
        self._keys: NDArray[np.int64] = np.full((len(questions), BEST), -1, dtype=np.int64)
        self._scores = np.full((len(questions), BEST), -np.inf, dtype=np.float32)

    @property
    def keys(self) -> NDArray[np.int64]:
        """The passages of each question's nearest sentences so far, shape (questions, BEST), in no
        order; -1 where there are fewer.
        """
        return self._keys

    @classmethod
    def of(cls, sample: Vectors) -> Nearest:
        """Questions made of sentences: each of one, and of how two others differ."""
        lots = np.random.default_rng(0).integers(0, len(sample), (3, QUESTIONS))
        one, other, another = (sample[lot] for lot in lots)
        mixed = one + APART * (other - another)
        lengths = np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)
        return cls((mixed / lengths).astype(np.float32))

    def watching(self, passages: Iterable[tuple[int, Vectors]]) -> Iterator[tuple[int, Vectors]]:
        """The same passages, whose sentences are compared as they go by."""
        waiting: list[tuple[int, Vectors]] = []
        sentences = 0
        for passage in passages:
            yield passage
            waiting.append(passage)
            sentences += len(passage[1])
            if sentences >= TOGETHER:
                self._compare(waiting)
                waiting, sentences = [], 0
        if waiting:
            self._compare(waiting)

    def recall(self, index: FaissIndex) -> float:
        """Share of the nearest sentences whose passages the index proposes, in [0, 1]."""
        found = wanted = 0
        for question, keys in zip(self._questions, self._keys, strict=True):
            proposed, _ = index.search(question, PROPOSED)
            there = keys[keys >= 0]
            found += int(np.isin(there, proposed).sum())
            wanted += len(there)
        return found / max(wanted, 1)

    def _compare(self, passages: Sequence[tuple[int, Vectors]]) -> None:
        of_passage = [len(rows) for _, rows in passages]
        keys = np.repeat([key for key, _ in passages], of_passage)
        rows = np.concatenate([rows for _, rows in passages])
        every = np.concatenate([self._scores, self._questions @ rows.T], axis=1)
        whose = np.concatenate([self._keys, np.tile(keys, (len(every), 1))], axis=1)
        best = np.argpartition(-every, BEST - 1, axis=1)[:, :BEST]
        self._scores = np.take_along_axis(every, best, axis=1)
        self._keys = np.take_along_axis(whose, best, axis=1)


def settled(index: FaissIndex, nearest: Nearest) -> float:
    """Let an index look at as few of its lists as find :data:`ENOUGH`, by halves; returns what
    share of the nearest sentences they find.
    """
    recall = nearest.recall(index)
    while index.probed > 1 and recall >= ENOUGH:
        before = index.probed
        index.probed = before // 2
        fewer = nearest.recall(index)
        if fewer < ENOUGH:
            index.probed = before
            break
        recall = fewer
    return recall
