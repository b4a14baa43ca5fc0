"""Sentence vectors → nearest sentences. The only module that knows FAISS.

Sentences are numbered ``key << 16 | position``: the key of their passage in the store and their
place in it. FAISS takes any id twice, any NaN and any file on trust, so all of that is checked
here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from rag.arrays import Keys, Scores, Vector, Vectors
from rag.errors import LibraryDamaged
from rag.files import write_atomically

if TYPE_CHECKING:
    import faiss

POSITION_BITS = 16
MOST_SENTENCES = 1 << POSITION_BITS
"""Sentences that a passage can have at most; windows of models are far below."""


class VectorIndex(Protocol):
    """Finds the sentences whose vectors have the highest inner product with a question's."""

    def __len__(self) -> int:
        """The number of sentences."""
        ...

    def add(self, key: int, sentences: Vectors) -> None:
        """Add the sentences of one passage, whose key is not in the index yet."""
        ...

    def remove(self, removed: Sequence[tuple[int, int]]) -> None:
        """Take out passages, each given as its key and number of sentences; unknown ones are
        passed over.
        """
        ...

    def search(
        self, question: Vector, count: int, among: Sequence[tuple[int, int]] | None = None
    ) -> tuple[Keys, Scores]:
        """The ``count`` nearest sentences, best first: the keys of their passages, with cosines.

        ``among`` limits the search to passages, each given as its key and number of sentences.
        A passage comes as often as it has sentences among them. Fewer when there are fewer.
        """
        ...


class FaissIndex:
    """Exact search in memory."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        self._ids: list[NDArray[np.int64]] = []
        self._rows: list[Vectors] = []

    @classmethod
    def empty(cls, dimension: int) -> FaissIndex:
        """An index without any sentence."""
        import faiss

        return cls(faiss.IndexIDMap(faiss.IndexFlatIP(dimension)))

    @classmethod
    def load(cls, path: Path, sha256: str) -> FaissIndex:
        """Read what :meth:`save` wrote.

        Raises
        ------
        LibraryDamaged
            If the file is missing or not the one that was written.
        """
        import faiss

        # FAISS trusts what it reads; a damaged file must never reach it.
        try:
            content = path.read_bytes()
        except OSError as error:
            raise LibraryDamaged(f"the vector index can't be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise LibraryDamaged("the vector index is not the one that was written")
        return cls(faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8)))

    def save(self, path: Path) -> str:
        """Write the index so that it is there whole or not at all; returns its SHA-256."""
        import faiss

        self._settle()
        content = faiss.serialize_index(self._index)
        write_atomically(path, content.data)
        return hashlib.sha256(content.data).hexdigest()

    def __len__(self) -> int:
        self._settle()
        return int(self._index.ntotal)

    def add(self, key: int, sentences: Vectors) -> None:
        """Add the sentences of one passage, whose key is not in the index yet.

        Raises
        ------
        ValueError
            If they are not finite rows of unit norm and of this index's dimension.
        """
        if sentences.ndim != 2 or sentences.shape[1] != self._index.d:  # noqa: PLR2004
            raise ValueError(f"sentences must be (n, {self._index.d}), not {sentences.shape}")
        if len(sentences) > MOST_SENTENCES:
            raise ValueError(f"a passage has at most {MOST_SENTENCES} sentences")
        lengths = np.linalg.norm(sentences, axis=1)
        if not np.allclose(lengths, 1.0, atol=1e-2):  # NaN is not close to 1 either
            raise ValueError("sentence vectors must have unit norm")
        self._ids.append((key << POSITION_BITS) + np.arange(len(sentences), dtype=np.int64))
        self._rows.append(sentences)

    def remove(self, removed: Sequence[tuple[int, int]]) -> None:
        """Take out passages, each given as its key and number of sentences."""
        import faiss

        self._settle()
        if not removed:
            return
        self._index.remove_ids(faiss.IDSelectorBatch(_ids(removed)))

    def search(
        self, question: Vector, count: int, among: Sequence[tuple[int, int]] | None = None
    ) -> tuple[Keys, Scores]:
        """The ``count`` nearest sentences, best first: the keys of their passages, with cosines.

        Raises
        ------
        ValueError
            If the question's vector is not finite or of another dimension.
        """
        if question.shape != (self._index.d,):
            raise ValueError(f"the question must be ({self._index.d},), not {question.shape}")
        if not np.isfinite(question).all():
            raise ValueError("the question's vector must be finite")
        count = min(count, len(self))
        if count == 0 or (among is not None and not among):
            return np.zeros(0, np.int64), np.zeros(0)
        import faiss

        limits = faiss.SearchParameters()
        if among:
            selector = faiss.IDSelectorBatch(_ids(among))  # kept here: FAISS only points to it
            limits.sel = selector
        scores, ids = self._index.search(
            question[np.newaxis].astype(np.float32), count, params=limits
        )
        # FAISS pads with id -1 when asked for more than there is.
        found = ids[0] >= 0
        return cast("Keys", ids[0][found] >> POSITION_BITS), scores[0][found].astype(np.float64)

    def _settle(self) -> None:
        """Hand over what was added, at once: FAISS copies a whole array faster than its rows."""
        if self._rows:
            rows = np.ascontiguousarray(np.concatenate(self._rows), dtype=np.float32)
            self._index.add_with_ids(rows, np.concatenate(self._ids))
            self._rows, self._ids = [], []


def _ids(passages: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """The numbers of all sentences of passages, given as keys and numbers of sentences."""
    return np.concatenate(
        [(key << POSITION_BITS) + np.arange(count, dtype=np.int64) for key, count in passages]
    )
