"""Recall of an approximate index, measured on the library itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors.faiss_index import FaissIndex
from rag.types.arrays import Vectors

QUESTIONS = 200
"""Number of test queries."""

BEST = 10
"""Nearest sentences that each query should find (the k of recall@k)."""

PROPOSED = 300
"""Nearest sentences that a search retrieves: a sentence among them counts as found."""

APART = 0.75
"""Weight of the difference of two other sentences that turns a sentence into a test query. Such
queries are as far from their nearest sentences as real ones (a cosine of .52, vs. .55 for SQuAD),
and an index has the same recall for them."""

ENOUGH = 0.995
"""Recall from which on fewer lists are tried. Real queries have slightly lower recall than these:
.984 on 66,000 sentences of papers at this setting."""

TOGETHER = 8192
"""Sentences compared with the queries per batch."""


class Nearest:
    """Exact nearest neighbours of some queries, computed while all sentences stream by."""

    def __init__(self, questions: Vectors) -> None:
        self._questions = questions
        self._keys: NDArray[np.int64] = np.full((len(questions), BEST), -1, dtype=np.int64)
        self._scores = np.full((len(questions), BEST), -np.inf, dtype=np.float32)

    @property
    def keys(self) -> NDArray[np.int64]:
        """Passage keys of each query's nearest sentences so far, shape (questions, BEST),
        unordered; -1 if there are fewer.
        """
        return self._keys

    @classmethod
    def of(cls, sample: Vectors) -> Nearest:
        """Make test queries of sentences: each is one plus part of the difference of two others."""
        lots = np.random.default_rng(0).integers(0, len(sample), (3, QUESTIONS))
        one, other, another = (sample[lot] for lot in lots)
        mixed = one + APART * (other - another)
        lengths = np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)
        return cls((mixed / lengths).astype(np.float32))

    def observe(self, passages: Iterable[tuple[int, Vectors]]) -> Iterator[tuple[int, Vectors]]:
        """Yield the passages unchanged, comparing their sentences on the way."""
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


def tune_probes(index: FaissIndex, nearest: Nearest) -> float:
    """Halve the number of lists while recall is at least :data:`ENOUGH`; returns the recall."""
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
