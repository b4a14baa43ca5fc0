"""Which passages a question is limited to.

Conditions and clauses hold before anything is ranked, over the whole library: what meets them is
found, however far down the ranking it stands.
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
class Limits:
    """The passages that may be found.

    ``among`` are their keys, ascending; None is all of them. ``but`` are the keys, ascending, of
    those that may not be found all the same: listing all others would take long in a large
    library, and excluded words are mostly rare.
    """

    among: Keys | None
    but: Keys


def passages_of(conditions: Iterable[Filter], store: StoreReader) -> Keys | None:
    """The keys, ascending, of the passages of documents that meet all conditions; None where
    nothing is a condition.
    """
    found = [store.matching(one) for one in conditions if one]
    return reduce(np.intersect1d, found) if found else None


def limited(among: Keys | None, clauses: Clauses, words: LexicalIndex) -> Limits:
    """Those of the passages ``among`` (None is all) that meet the clauses, too."""
    but = np.zeros(0, np.int64)
    if clauses.phrases:
        return Limits(words.matching("", clauses, among), but)
    for phrase in clauses.without:
        but = np.union1d(but, words.matching("", Clauses(phrases=(phrase,))))
    if 2 * len(but) > len(words):  # the rest is the shorter list
        return Limits(words.matching("", clauses, among), np.zeros(0, np.int64))
    return Limits(among, but)
