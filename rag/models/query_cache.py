"""Cache of query encodings."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from rag.types import QueryEncoding
from rag.types.arrays import Offsets
from rag.types.protocols import Embedder, QuestionEncoder

T = TypeVar("T")

READ_AT_ONCE = 32
"""Queries encoded per batch, while the previous batch is searched."""


def for_each_query(
    questions: Sequence[str], embedder: Embedder, ask: Callable[[str, QuestionEncoder], T]
) -> list[T]:
    """Call ``ask`` for each query with an embedder that has already encoded it; results in order.

    Encoding uses all cores in parallel with searching: a search is mostly Python, which runs one
    thread at a time, and encoding is not.
    """
    asked: list[Future[T]] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(questions), READ_AT_ONCE):
            batch = questions[first : first + READ_AT_ONCE]
            encoder = QueryCache.of(embedder, batch)
            asked += [pool.submit(ask, question, encoder) for question in batch]
        return [one.result() for one in asked]


class QueryCache:
    """Caches an embedder's query encodings. Thread-safe."""

    def __init__(self, encoder: QuestionEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, QueryEncoding] = {}

    @classmethod
    def of(cls, embedder: Embedder, questions: Sequence[str]) -> QueryCache:
        """Encode these queries in one batch and cache them."""
        cache = cls(embedder)
        cache._known |= zip(questions, embedder.queries(questions), strict=True)
        return cache

    def tokens(self, text: str) -> Offsets:
        """As the embedder's own."""
        return self._encoder.tokens(text)

    def query(self, question: str) -> QueryEncoding:
        """The cached encoding, or the embedder's."""
        if question not in self._known:
            self._known[question] = self._encoder.query(question)
        return self._known[question]
