"""Search a library with a custom configuration."""

from __future__ import annotations

from collections.abc import Sequence

from rag.evaluation.labelled_sets import Question
from rag.index.engine import Engine
from rag.models.cross_encoder import Reranker
from rag.models.query_cache import QueryCache
from rag.search import pipeline
from rag.search.scoring import Ranking
from rag.types import Hit
from rag.types.protocols import Embedder, QuestionEncoder


class Searcher:
    """Searches a snapshot of the library, taken when this is created."""

    def __init__(self, engine: Engine, embedder: Embedder) -> None:
        self._embedder = embedder
        self._searcher = engine.searcher()

    def search(
        self, question: Question, k: int, settings: Ranking, reranker: Reranker | None
    ) -> list[Hit]:
        """Retrieve the best ``k`` hits for a question, within its filter."""
        return self._found(question, k, settings, reranker, self._embedder)

    def search_each(
        self, question: Question, k: int, settings: Sequence[Ranking]
    ) -> list[list[Hit]]:
        """The same with several configurations; the question is embedded once."""
        once = QueryCache(self._embedder)
        return [self._found(question, k, one, None, once) for one in settings]

    def _found(
        self,
        question: Question,
        k: int,
        settings: Ranking,
        reranker: Reranker | None,
        encoder: QuestionEncoder,
    ) -> list[Hit]:
        return pipeline.search(
            question.text,
            k,
            question.conditions,
            embedder=encoder,
            library=self._searcher,
            settings=settings,
            reranker=reranker,
        ).hits
