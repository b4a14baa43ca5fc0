"""Turn filters and clauses into sets of passages.

They are applied before ranking, over the whole library: a passage that meets them is found, however
low it ranks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from rag.index.lexical import LexicalIndex
from rag.index.sqlite import StoreReader
from rag.types import Clauses
from rag.types.arrays import Keys
from rag.types.filters import Filter


@dataclass(frozen=True, slots=True, eq=False)
class KeyFilter:
    """The passages that may be found.

    ``among`` are their keys, ascending; None means all. ``but`` are the keys, ascending, of
    exceptions: excluded words are mostly rare, and in a large library it would take long to list
    all other passages.
    """

    among: Keys | None
    but: Keys


def passages_of(conditions: Iterable[Filter], store: StoreReader) -> Keys | None:
    """The keys, ascending, of the passages of documents that meet all conditions; None if there are
    no conditions.
    """
    found = [store.matching(one) for one in conditions if one]
    return reduce(np.intersect1d, found) if found else None


def apply_clauses(among: Keys | None, clauses: Clauses, words: LexicalIndex) -> KeyFilter:
    """Limit the passages ``among`` (None means all) to those that also meet the clauses."""
    but = np.zeros(0, np.int64)
    if clauses.phrases:
        return KeyFilter(words.matching("", clauses, among), but)
    for phrase in clauses.without:
        but = np.union1d(but, words.matching("", Clauses(phrases=(phrase,))))
    if 2 * len(but) > len(words):  # then the complement is shorter
        return KeyFilter(words.matching("", clauses, among), np.zeros(0, np.int64))
    return KeyFilter(among, but)
