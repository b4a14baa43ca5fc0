"""Questions that the model has read already."""

from __future__ import annotations

from collections.abc import Sequence

from rag.arrays import Offsets
from rag.protocols import Embedder, QuestionEncoder
from rag.types import QueryEncoding


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
