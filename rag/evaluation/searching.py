"""A library's search with settings of one's own."""

from __future__ import annotations

from pathlib import Path

from rag import retrieval
from rag.errors import LibraryDamaged
from rag.evaluation.labelled import Question
from rag.indexes import Indexes
from rag.protocols import Embedder
from rag.ranking import Ranking
from rag.reranking import Reranker
from rag.store import Database, StoreReader
from rag.types import Hit


class Searcher:
    """Asks the library in a folder, as it is published when this is made.

    Raises
    ------
    LibraryDamaged
        If its indexes are not published: a question to the library itself does that.
    """

    def __init__(self, path: Path, embedder: Embedder) -> None:
        self._embedder = embedder
        self._store = StoreReader(Database(path / "library.db", embedder.dimension))
        snapshot = Indexes(path, self._store, embedder.dimension).load()
        if snapshot is None:
            raise LibraryDamaged(f"the indexes of {path} are missing; ask it a question: rag ask")
        self._snapshot = snapshot

    def search(
        self, question: Question, k: int, settings: Ranking, reranker: Reranker | None
    ) -> list[Hit]:
        """The best ``k`` hits for a question, among the documents that it may look in."""
        return retrieval.search(
            question.text,
            k,
            question.conditions,
            embedder=self._embedder,
            store=self._store,
            snapshot=self._snapshot,
            settings=settings,
            reranker=reranker,
        )
