"""Questions that the model has read already."""

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
"""Questions that the model reads while those before them are searched for."""


def each(
    questions: Sequence[str], embedder: Embedder, ask: Callable[[str, QuestionEncoder], T]
) -> list[T]:
    """What comes of each of many questions, when it is asked with a model that has read it.

    The model reads some while others are asked, on all cores: asking is mostly Python, of which
    one thread at a time runs, and reading is not.
    """
    asked: list[Future[T]] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(questions), READ_AT_ONCE):
            some = questions[first : first + READ_AT_ONCE]
            encoder = Remembered.of(embedder, some)
            asked += [pool.submit(ask, question, encoder) for question in some]
        return [one.result() for one in asked]


class Remembered:
    """A model that reads no question twice. Any number of threads may use it."""

    def __init__(self, encoder: QuestionEncoder) -> None:
        self._encoder = encoder
        self._known: dict[str, QueryEncoding] = {}

    @classmethod
    def of(cls, embedder: Embedder, questions: Sequence[str]) -> Remembered:
        """One that has read these, all at once."""
        made = cls(embedder)
        made._known |= zip(questions, embedder.queries(questions), strict=True)
        return made

    def tokens(self, text: str) -> Offsets:
        """Those of the model."""
        return self._encoder.tokens(text)

    def query(self, question: str) -> QueryEncoding:
        """That of the model."""
        if question not in self._known:
            self._known[question] = self._encoder.query(question)
        return self._known[question]
