"""Cache of query encodings."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from rag.types import QueryEncoding
from rag.types.protocols import Embedder, QuestionEncoder

T = TypeVar("T")

READ_AT_ONCE = 32
"""Queries encoded per batch, while the previous batch is searched."""


class QueryCache:
    """An embedder that keeps its query encodings. Thread-safe."""

    def __init__(self, encoder: QuestionEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, QueryEncoding] = {}
        self.tokens = encoder.tokens

    def add(self, questions: Sequence[str], encodings: Sequence[QueryEncoding]) -> None:
        """Keep encodings that were made in a batch."""
        self._known.update(zip(questions, encodings, strict=True))

    def query(self, question: str) -> QueryEncoding:
        """The encoding of a query, made unless it is kept."""
        if question not in self._known:
            self._known[question] = self._encoder.query(question)
        return self._known[question]


def for_each_query(
    questions: Sequence[str], embedder: Embedder, ask: Callable[[str, QuestionEncoder], T]
) -> list[T]:
    """Call ``ask`` for each query with an embedder that has already encoded it; results in order.

    Encoding uses all cores in parallel with searching: a search is mostly Python, which runs one
    thread at a time, and encoding is not.
    """
    cache = QueryCache(embedder)
    asked: list[Future[T]] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(questions), READ_AT_ONCE):
            batch = questions[first : first + READ_AT_ONCE]
            cache.add(batch, embedder.queries(batch))
            asked += [pool.submit(ask, question, cache) for question in batch]
        return [one.result() for one in asked]
