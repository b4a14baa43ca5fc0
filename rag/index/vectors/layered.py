"""Search the main segment, the delta and the tombstones together (a log-structured merge)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rag.index.vectors.faiss_index import NONE, FaissIndex
from rag.types.arrays import Keys, Scores, Vector


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
