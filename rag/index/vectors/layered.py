"""What is sealed, what came since, and what went: searched as one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rag.index.vectors.faiss_index import NONE, FaissIndex
from rag.types.arrays import Keys, Scores, Vector


class VectorIndex(Protocol):
    """Finds the sentences whose vectors have the highest inner product with a question's."""

    def __len__(self) -> int:
        """The number of sentences."""
        ...

    @property
    def exact(self) -> bool:
        """Whether it compares all sentences, so that the nearest are the nearest."""
        ...

    def search(
        self, question: Vector, count: int, among: Keys | None = None, but: Keys = NONE
    ) -> tuple[Keys, Scores]:
        """The ``count`` nearest sentences, best first: the keys of their passages, with cosines,
        or close guesses at them.

        ``among`` limits the search to passages of those keys, ``but`` leaves out others. A
        passage comes as often as it has sentences among them. Fewer when there are fewer.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class LayeredIndex:
    """An index that never changes: a sealed one, the sentences that came since, and the keys of
    the passages that went.
    """

    sealed: FaissIndex
    recent: FaissIndex
    gone: Keys

    def __len__(self) -> int:
        """The number of sentences; those of passages that went count until it is sealed anew."""
        return len(self.sealed) + len(self.recent)

    @property
    def exact(self) -> bool:
        """Whether the sealed part compares all of its sentences."""
        return not self.sealed.lists

    def search(
        self, question: Vector, count: int, among: Keys | None = None, but: Keys = NONE
    ) -> tuple[Keys, Scores]:
        """The nearest sentences of both layers, as :class:`VectorIndex` says."""
        without = np.concatenate([but, self.gone])
        found = [
            self.sealed.search(question, count, among, without),
            self.recent.search(question, count, among, but),
        ]
        keys = np.concatenate([one for one, _ in found])
        scores = np.concatenate([one for _, one in found])
        best = np.argsort(-scores, kind="stable")[:count]
        return keys[best], scores[best]
