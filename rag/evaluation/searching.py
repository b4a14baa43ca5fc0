"""A library's search with settings of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag import retrieval
from rag.embedded import EmbeddedSearcher
from rag.errors import LibraryDamaged
from rag.evaluation.labelled import Question
from rag.indexes import Indexes
from rag.protocols import Embedder, QuestionEncoder
from rag.ranking import Ranking
from rag.remembered import Remembered
from rag.reranking import Reranker
from rag.store import Changes, Database, StoreReader
from rag.types import Hit


class Searcher:
    """Asks the library in a folder, as it is published when this is made; ``store`` is its store.

    Raises
    ------
    LibraryDamaged
        If its indexes are not published: a question to the library itself does that.
    """

    def __init__(self, path: Path, embedder: Embedder) -> None:
        self._embedder = embedder
        database = Database(path / "library.db", embedder.dimension)
        self.store = StoreReader(database)
        snapshot = Indexes(path, Changes(database)).load()
        if snapshot is None:
            raise LibraryDamaged(f"the indexes of {path} are missing; ask it a question: rag ask")
        self._searcher = EmbeddedSearcher(self.store, snapshot)

    def search(
        self, question: Question, k: int, settings: Ranking, reranker: Reranker | None
    ) -> list[Hit]:
        """The best ``k`` hits for a question, among the documents that it may look in."""
        return self._found(question, k, settings, reranker, self._embedder)

    def search_each(
        self, question: Question, k: int, settings: Sequence[Ranking]
    ) -> list[list[Hit]]:
        """The same with each of several settings; the model reads the question once."""
        once = Remembered(self._embedder)
        return [self._found(question, k, one, None, once) for one in settings]

    def _found(
        self,
        question: Question,
        k: int,
        settings: Ranking,
        reranker: Reranker | None,
        encoder: QuestionEncoder,
    ) -> list[Hit]:
        return retrieval.search(
            question.text,
            k,
            question.conditions,
            embedder=encoder,
            library=self._searcher,
            settings=settings,
            reranker=reranker,
        )
