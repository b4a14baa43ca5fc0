"""Search the main segment, the delta and the tombstones together (a log-structured merge)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rag.index.vectors.faiss_index import NONE, FaissIndex
from rag.types.arrays import Keys, Scores, Vector


class VectorIndex(Protocol):
    """Finds the sentences whose vectors have the highest inner product with a query's."""

    def __len__(self) -> int:
        """Number of sentences."""
        ...

    @property
    def exact(self) -> bool:
        """Whether the search is exhaustive, so that results are exact."""
        ...

    def search(
        self, question: Vector, count: int, among: Keys | None = None, but: Keys = NONE
    ) -> tuple[Keys, Scores]:
        """The ``count`` nearest sentences, best first: the keys of their passages and their exact
        or approximate cosines.

        ``among`` limits the search to passages with those keys, ``but`` excludes others. A passage
        appears once for each of its sentences among the results. There may be fewer.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LayeredIndex:
    """An immutable index: main segment, delta, and tombstones (the keys of deleted passages)."""

    sealed: FaissIndex
    recent: FaissIndex
    gone: Keys

    def __len__(self) -> int:
        """Number of sentences, including deleted ones until the main segment is rewritten."""
        return len(self.sealed) + len(self.recent)

    @property
    def exact(self) -> bool:
        """Whether the search in the main segment is exhaustive."""
        return not self.sealed.lists

    def search(
        self, question: Vector, count: int, among: Keys | None = None, but: Keys = NONE
    ) -> tuple[Keys, Scores]:
        """The nearest sentences in main segment and delta: see :class:`VectorIndex`."""
        without = np.concatenate([but, self.gone])
        found = [
            self.sealed.search(question, count, among, without),
            self.recent.search(question, count, among, but),
        ]
        keys = np.concatenate([one for one, _ in found])
        scores = np.concatenate([one for _, one in found])
        best = np.argsort(-scores, kind="stable")[:count]
        return keys[best], scores[best]
