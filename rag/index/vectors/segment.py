"""The main segment: when and how it is rewritten, its recall, and its delta and tombstones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.index.sqlite.changes import Changes
from rag.index.vectors.faiss_index import NONE, PER_LIST, FaissIndex, batched, keys_of_sentences
from rag.types.arrays import Keys, Scores, Vector, Vectors

EXACT = 200_000
"""Maximum sentences for exhaustive search: 5 ms on one core, with exact results."""

FEWEST = 500
"""Changed sentences below which rewriting the segment is never worthwhile."""

MOST = 20_000
"""Changed sentences from which on it always is: the delta is searched exhaustively."""

MOST_SAMPLED = 60_000
"""Maximum training sentences: 92 MB at 384 dimensions."""

GROWTH = 2
"""Growth factor after which an index is retrained, as its lists suit the former size only."""

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

COMPARED_TOGETHER = 8192
"""Sentences compared with the queries per batch."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Metadata of a main segment: the index of the store as of a generation.

    ``trained`` is the number of sentences when its lists were trained, ``recall`` the recall@10
    measured then with test queries made of the library's own sentences, and ``probed`` the number
    of lists to probe for it; 0, 1 and 0 for exhaustive search.
    """

    file: str
    sha256: str
    generation: int
    sentences: int
    trained: int = 0
    recall: float = 1.0
    probed: int = 0


def is_rewrite_due(segment: Segment, added: int, total: int) -> bool:
    """Whether the segment should be rewritten, given the sentences ``added`` since then and not
    deleted, and the current ``total``.
    """
    removed = segment.sentences + added - total
    return added + removed > max(FEWEST, min(MOST, segment.sentences // 10))


def write_segment(
    store: Changes,
    folder: Path,
    generation: int,
    before: Segment | None = None,
    removed: Sequence[int] = (),
) -> Segment:
    """Write the index of all sentences in the store, as ``vectors-N.faiss``, N the generation.

    The segment ``before`` is updated if that is enough; ``removed`` are keys deleted since. Raises
    LibraryDamaged if it can't be read.
    """
    total, trained, recall = store.sentences(), 0, 1.0
    if before and _suits(before, total):
        index = FaissIndex.load(folder / before.file, before.sha256, before.probed, mapped=False)
        index.remove(removed)
        index.add(store.vectors_since(before.generation))
        trained, recall = before.trained, before.recall
    elif total <= EXACT:
        index = FaissIndex.exact(store.dimension)
        index.add(store.vectors_since(0))
    else:
        index, recall = _compressed(store, total)
        trained = total
    file = f"vectors-{generation}.faiss"
    return Segment(
        file=file,
        sha256=index.save(folder / file),
        generation=generation,
        sentences=len(index),
        trained=trained,
        recall=recall,
        probed=index.probed,
    )


def lists_for(sentences: int) -> int:
    """Number of lists: a power of two, about four times the square root of the sentences."""
    return 1 << round(math.log2(4.0 * math.sqrt(sentences)))


def _suits(before: Segment, total: int) -> bool:
    """Whether an index of this type is still appropriate for that many sentences."""
    if not before.trained:
        return total <= EXACT
    return EXACT < total <= GROWTH * before.trained and GROWTH * total >= before.trained


def _compressed(store: Changes, total: int) -> tuple[FaissIndex, float]:
    """Build the compressed index in bounded memory; returns it and its recall."""
    lists = lists_for(total)
    sample = store.sampled_vectors(min(PER_LIST * lists, MOST_SAMPLED))
    nearest = Nearest.of(sample)
    index = FaissIndex.compressed(sample, min(lists, len(sample) // PER_LIST))
    del sample
    index.add(nearest.observe(store.vectors_since(0)))
    return index, tune_probes(index, nearest)


class Nearest:
    """Exact nearest neighbours of some queries, computed while all sentences stream by."""

    def __init__(self, questions: Vectors) -> None:
        self._questions = questions
        self.keys: NDArray[np.int64] = np.full((len(questions), BEST), -1, dtype=np.int64)
        """Passage keys of each query's nearest sentences so far, unordered; -1 if there are
        fewer."""
        self._scores = np.full((len(questions), BEST), -np.inf, dtype=np.float32)

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
        for batch in batched(passages, COMPARED_TOGETHER):
            yield from batch
            self._compare(batch)

    def recall(self, index: FaissIndex) -> float:
        """Share of the nearest sentences whose passages the index proposes, in [0, 1]."""
        found = wanted = 0
        for question, keys in zip(self._questions, self.keys, strict=True):
            proposed, _ = index.search(question, PROPOSED)
            there = keys[keys >= 0]
            found += int(np.isin(there, proposed).sum())
            wanted += len(there)
        return found / max(wanted, 1)

    def _compare(self, passages: Sequence[tuple[int, Vectors]]) -> None:
        keys = keys_of_sentences(passages)
        rows = np.concatenate([rows for _, rows in passages])
        every = np.concatenate([self._scores, self._questions @ rows.T], axis=1)
        whose = np.concatenate([self.keys, np.tile(keys, (len(every), 1))], axis=1)
        best = np.argpartition(-every, BEST - 1, axis=1)[:, :BEST]
        self._scores = np.take_along_axis(every, best, axis=1)
        self.keys = np.take_along_axis(whose, best, axis=1)


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


@dataclass(frozen=True, slots=True, eq=False)
class LayeredIndex:
    """An immutable index: main segment, delta, and tombstones (the keys of deleted passages)."""

    main: FaissIndex
    delta: FaissIndex
    tombstones: Keys

    def __len__(self) -> int:
        """Number of sentences, including deleted ones until the main segment is rewritten."""
        return len(self.main) + len(self.delta)

    @property
    def exact(self) -> bool:
        """Whether the search in the main segment is exhaustive."""
        return not self.main.lists

    def search(
        self, question: Vector, count: int, among: Keys | None = None, but: Keys = NONE
    ) -> tuple[Keys, Scores]:
        """The ``count`` nearest sentences, best first: the keys of their passages and their exact
        or approximate cosines.

        ``among`` limits the search to passages with those keys, ``but`` excludes others. A passage
        appears once for each of its sentences among the results. There may be fewer.
        """
        without = np.concatenate([but, self.tombstones])
        found = [
            self.main.search(question, count, among, without),
            self.delta.search(question, count, among, but),
        ]
        keys = np.concatenate([one for one, _ in found])
        scores = np.concatenate([one for _, one in found])
        best = np.argsort(-scores, kind="stable")[:count]
        return keys[best], scores[best]
