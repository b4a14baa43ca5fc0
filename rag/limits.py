"""Which passages a question is limited to, and the nearest sentences among those.

Conditions and clauses hold before anything is ranked, over the whole library: what meets them is
found, however far down the ranking it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.arrays import Keys, Vector
from rag.filters import Filter
from rag.lexical import LexicalIndex
from rag.store import StoreReader
from rag.types import Clauses
from rag.vectors import VectorIndex

DEEPER = 4
"""How many times as many sentences are looked at when too many were excluded."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The passages that may be found.

    ``among`` lists them, each with its number of sentences; None is all of them. ``but`` are the
    keys, ascending, of those that may not be found all the same: listing all others would take
    long in a large library, and excluded words are mostly rare.
    """

    among: Sequence[tuple[int, int]] | None
    but: Keys

    @property
    def keys(self) -> list[int] | None:
        """The keys of ``among``."""
        return None if self.among is None else [key for key, _ in self.among]


def passages_of(conditions: Iterable[Filter], store: StoreReader) -> list[tuple[int, int]] | None:
    """The passages of documents that meet all conditions: keys and numbers of sentences; None
    where nothing is a condition.
    """
    found: dict[int, int] | None = None
    for one in conditions:
        if one:
            matching = store.matching(one)
            found = {key: n for key, n in matching if found is None or key in found}
    return None if found is None else list(found.items())


def limited(
    conditions: Iterable[Filter], clauses: Clauses, store: StoreReader, words: LexicalIndex
) -> Limits:
    """The passages that meet all conditions and the clauses."""
    among = passages_of(conditions, store)
    but = np.zeros(0, np.int64)
    if clauses.phrases:
        return Limits(_listed(clauses, among, words), but)
    for phrase in clauses.without:
        but = np.union1d(but, words.matching("", Clauses(phrases=(phrase,)))[0])
    if 2 * len(but) > len(words):  # the rest is the shorter list
        return Limits(_listed(clauses, among, words), np.zeros(0, np.int64))
    return Limits(among, but)


def nearest(vectors: VectorIndex, question: Vector, count: int, limits: Limits) -> Keys:
    """The passages of the ``count`` nearest sentences, best first, a passage as often as it has
    sentences among them.
    """
    asked = count
    while True:
        keys, _ = vectors.search(question, asked, limits.among)
        kept = keys[~np.isin(keys, limits.but)]
        if len(kept) >= count or len(keys) < asked:
            return kept[:count]
        asked *= DEEPER


def _listed(
    clauses: Clauses, among: Sequence[tuple[int, int]] | None, words: LexicalIndex
) -> list[tuple[int, int]]:
    keys = None if among is None else [key for key, _ in among]
    found, sentences = words.matching("", clauses, keys)
    return list(zip(found.tolist(), sentences.tolist(), strict=True))
