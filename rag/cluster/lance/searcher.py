"""Search a shared library at one version of the passages table."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.cluster.lance import bm25, filter_sql, rows
from rag.cluster.lance.statistics import Statistics
from rag.cluster.lance.table import Table
from rag.index.columns import Row
from rag.index.records import StoredPassage, StoredTokens, together
from rag.text.analyzers import Analysis
from rag.types import Clauses, DocumentCount, Respelling
from rag.types.arrays import Keys, Pieces, Scores, Vector, Vectors
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
        self._judged = RowCache(passages, ("vectors", *rows.WORDS))
        self._shown = RowCache(passages, (*rows.PASSAGE, *rows.TOKENS))

    def __len__(self) -> int:
        """Number of passages at the last term count."""
        return self._statistics.passages

    def filtered(self, conditions_: Sequence[Filter], clauses: Clauses) -> SharedSearcher:
        """The same searcher, restricted to these filters and clauses."""
        analysis = self._statistics.analysis
        phrases, without = (
            [rows.literal_words(one, analysis) for one in some]
            for some in (clauses.phrases, clauses.without)
        )
        found = filter_sql.document_conditions(conditions_, "sources")
        where = filter_sql.all_of(
            [*found, *filter_sql.phrase_conditions(clauses, phrases, without)]
        )
        return SharedSearcher(self._passages, self._statistics, where)

    @property
    def analysis(self) -> Analysis:
        """Query analysis in the languages of the library's texts."""
        return self._statistics.analysis

    def nearest(self, question: Vector, sentences: int, passages: int) -> Keys:
        """Passages of the nearest sentences."""
        found = self._passages.nearest(question, sentences, self._where)
        return found[: passages if self._passages.exact else 2 * passages]

    def lexical(
        self, question: str, passages: int, among: Sequence[int] | None = None
    ) -> tuple[Keys, Scores]:
        """Passages retrieved by Lance's BM25, with our scores: see :mod:`rag.cluster.lance.bm25`"""
        asked = self.analysis.words(question)
        stems = [stem for word in asked for stem in word]
        if not stems or passages < 1:
            return np.zeros(0, np.int64), np.zeros(0)
        if among is None:
            among = self._passages.lexical(" ".join(stems), passages, self._where).tolist()
        found = self._judged.of(among)
        text, context = self._statistics.fields(stems)
        scores = bm25.scores(
            asked,
            [row["stems"] for row in found.values()],
            [row["context"] for row in found.values()],
            text=text,
            context=context,
            passages=self._statistics.passages,
        )
        best = np.argsort(-scores, kind="stable")[:passages]
        return np.array([*found], dtype=np.int64)[best], scores[best]

    def matching(self, words_: str) -> Keys:
        """Passages that contain all of the words."""
        each = [
            " OR ".join(f"contains(stems, {filter_sql.quote(f' {stem} ')})" for stem in stems)
            for stems in self._statistics.analysis.words(words_)
        ]
        where = filter_sql.all_of([*each, *([self._where] if self._where else [])])
        return self._passages.keys(where)

    def sentences(self, keys: Sequence[int]) -> tuple[Keys, NDArray[np.int64], Vectors]:
        """Keys, sentence counts, and the concatenated sentence vectors."""
        found = {key: rows.vectors(row) for key, row in self._judged.of(keys).items()}
        counts = np.array([len(one) for one in found.values()], dtype=np.int64)
        together = np.concatenate(
            [*found.values(), np.zeros((0, self._passages.dimension), np.float32)]
        )
        return np.array(list(found), dtype=np.int64), counts, together

    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by key."""
        return {key: rows.stored_tokens(key, row) for key, row in self._shown.of(keys).items()}

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key."""
        return {key: rows.stored_passage(key, row) for key, row in self._shown.of(keys).items()}

    def count_by_document(self, keys: Sequence[int]) -> tuple[DocumentCount, ...]:
        """Number of these passages per document."""
        found = self._passages.take(keys, ("document", "title", "sources"))
        of_documents = {key: found[key] for key in sorted(found)}.values()
        counts = Counter(row["document"] for row in of_documents)
        facts = {row["document"]: row for row in of_documents}
        return together(
            DocumentCount(id_, facts[id_]["title"], whole_source(min(facts[id_]["sources"])), count)
            for id_, count in counts.items()
        )

    def piece_frequencies(self, pieces: Pieces) -> tuple[NDArray[np.int64], int]:
        """Document frequencies of word pieces, and number of passages, at the last count."""
        return self._statistics.piece_frequencies(pieces)

    def respellings(self, question: str) -> tuple[Respelling, ...]:
        """Spelling corrections based on the counted terms."""
        return self._statistics.respellings(question)

    def coverage(self, question: str, texts: Sequence[str]) -> Scores:
        """Query coverage, as in the embedded engine."""
        analysis, passages = self._statistics.analysis, self._statistics.passages
        text, _ = self._statistics.fields(
            [stem for word in analysis.words(question) for stem in word]
        )
        return np.array(
            analysis.coverage(
                question, texts, lambda stems: bm25.idf(text.document_frequency(stems), passages)
            )
        )


class RowCache:
    """Cache of some columns of rows; each row is fetched once across threads."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._table = table
        self._columns = columns
        self._rows: dict[int, Row] = {}
        self._asked: set[int] = set()
        self._fetching = threading.Lock()

    def of(self, keys: Sequence[int]) -> dict[int, Row]:
        """Rows with these keys; deleted ones are left out."""
        with self._fetching:
            new = [key for key in keys if key not in self._asked]
            if new:
                self._rows |= self._table.take(new, self._columns)
                self._asked.update(new)
        return {key: self._rows[key] for key in keys if key in self._rows}
