"""Search a shared library at one version of the passages table."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.cluster.lance import rows
from rag.cluster.lance.filter_sql import all_of, document_conditions, phrase_conditions, quote
from rag.cluster.lance.statistics import Statistics
from rag.cluster.lance.table import Table
from rag.index.columns import Row
from rag.index.records import StoredPassage, StoredTokens, together
from rag.text.analyzers import Analysis
from rag.types import Clauses, DocumentCount
from rag.types.arrays import Keys, Scores, Vector, Vectors
from rag.types.filters import Filter
from rag.types.parts import whole_source


class SharedSearcher:
    """Implements :class:`rag.index.engine.Searcher`, for a single query.

    Columns needed one after the other are fetched together, since every fetch is a round trip to
    object storage: first those for scoring, then those for displaying the best hits.
    """

    def __init__(self, passages: Table, statistics: Statistics, where: str | None = None) -> None:
        self._passages = passages
        self._statistics = statistics
        self._where = where
        self._judged = RowCache(passages, ("vectors", "stems", "context", "language"))
        self._shown = RowCache(passages, (*rows.PASSAGE, *rows.TOKENS))
        # As of the last term count.
        self.piece_frequencies = statistics.piece_frequencies
        self.respellings, self.coverage = statistics.respellings, statistics.coverage

    def __len__(self) -> int:
        """Number of passages at the last term count."""
        return self._statistics.passages

    def filtered(self, conditions: Sequence[Filter], clauses: Clauses) -> SharedSearcher:
        """The same searcher, restricted to these filters and clauses."""
        phrases, without = (
            [rows.literal_words(one, self._statistics.analysis) for one in some]
            for some in (clauses.phrases, clauses.without)
        )
        where = all_of(
            [
                *(part for one in conditions for part in document_conditions(one, "sources")),
                *phrase_conditions(phrases, without),
            ]
        )
        return SharedSearcher(self._passages, self._statistics, where)

    @property
    def analysis(self) -> Analysis:
        """Query analysis in the languages of the library's texts."""
        return self._statistics.analysis

    def nearest(self, question: Vector, sentences: int, passages: int) -> Keys:
        """Passages of the nearest sentences."""
        found = self._passages.nearest(question, sentences, self._where)
        return found[: 2 * passages if self._passages.lists else passages]

    def lexical(
        self, question: str, passages: int, among: Sequence[int] | None = None
    ) -> tuple[Keys, Scores]:
        """Passages retrieved by Lance's BM25, with our lexical scores."""
        stems = [stem for word in self.analysis.words(question) for stem in word]
        if not stems or passages < 1:
            return np.zeros(0, np.int64), np.zeros(0)
        if among is None:
            among = self._passages.lexical(" ".join(stems), passages, self._where).tolist()
        found = self._judged.of(among)
        scores = self._statistics.scores(question, list(found.values()))
        best = np.argsort(-scores, kind="stable")[:passages]
        return np.array([*found], dtype=np.int64)[best], scores[best]

    def matching(self, words: str) -> Keys:
        """Passages that contain all of the words."""
        each = [
            " OR ".join(f"contains(stems, {quote(f' {stem} ')})" for stem in stems)
            for stems in self._statistics.analysis.words(words)
        ]
        return self._passages.keys(all_of([*each, self._where]))

    def sentences(self, keys: Sequence[int]) -> tuple[Keys, NDArray[np.int64], Vectors]:
        """Keys, sentence counts, and the concatenated sentence vectors."""
        found = {key: rows.vectors(row) for key, row in self._judged.of(keys).items()}
        counts = np.array([len(one) for one in found.values()], dtype=np.int64)
        empty = np.zeros((0, self._passages.dimension), np.float32)
        return np.array(list(found), np.int64), counts, np.concatenate([empty, *found.values()])

    def languages(self, keys: Sequence[int]) -> dict[int, str | None]:
        """Language of each passage's document by key."""
        return {key: row["language"] for key, row in self._judged.of(keys).items()}

    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by key."""
        return {key: rows.stored_tokens(key, row) for key, row in self._shown.of(keys).items()}

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key."""
        return {key: rows.stored_passage(key, row) for key, row in self._shown.of(keys).items()}

    def count_by_document(self, keys: Sequence[int]) -> tuple[DocumentCount, ...]:
        """Number of these passages per document."""
        found = self._passages.take(keys, ("document", "title", "sources"))
        of_documents = [found[key] for key in sorted(found)]
        counts = Counter(row["document"] for row in of_documents)
        facts = {row["document"]: row for row in of_documents}
        return together(
            DocumentCount(id_, facts[id_]["title"], whole_source(min(facts[id_]["sources"])), count)
            for id_, count in counts.items()
        )


class RowCache:
    """Cache of some columns of rows; each row is fetched once across threads."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._table = table
        self._columns = columns
        self._rows: dict[int, Row | None] = {}
        self._fetching = threading.Lock()

    def of(self, keys: Sequence[int]) -> dict[int, Row]:
        """Rows with these keys; deleted ones are left out."""
        with self._fetching:
            new = [key for key in keys if key not in self._rows]
            if new:
                self._rows |= dict.fromkeys(new) | self._table.take(new, self._columns)
        return {key: row for key in keys if (row := self._rows[key]) is not None}
