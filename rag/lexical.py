"""Words → passages. The only module that knows tantivy.

BM25 over stemmed words, stop words left out, accents folded. A score is given as a share of the
best that any passage could reach for the question, so that it lies in [0, 1] and means the same
in every library and for every question.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rag.errors import LibraryDamaged
from rag.types import Keys, Scores

if TYPE_CHECKING:
    import tantivy

CONTEXT_WEIGHT = 0.3
"""What a word in the title or the headings above a passage counts, beside one in the passage."""

SATURATION = 2.2
"""The most that BM25 gives a word beyond its rarity: k1 + 1, where tantivy has k1 = 1.2."""

LONGEST_WORD = 64
"""Letters; what is longer (an encoded file, a line of dashes) is no word."""

WRITER_MEMORY = 64_000_000
"""Bytes that the writer fills before it flushes."""


class LexicalIndex(Protocol):
    """Finds the passages that share words with a question."""

    def __len__(self) -> int:
        """The number of passages."""
        ...

    def search(
        self, question: str, count: int, among: Sequence[int] | None = None
    ) -> tuple[Keys, Scores]:
        """The keys of the best ``count`` passages, best first, with scores in [0, 1].

        Only passages that share a word with the question, so there may be fewer or none;
        ``among`` limits the search to the passages of those keys.
        """
        ...

    def score(self, question: str, keys: Sequence[int]) -> Scores:
        """The scores of given passages, in [0, 1]; 0 for one that shares no word."""
        ...

    def matched(self, question: str, text: str) -> tuple[str, ...]:
        """The words of ``text``, as they stand there, that the question's words find."""
        ...


class TantivyIndex:
    """An index in a folder. What was committed is seen by :meth:`reader`."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._analyzer = _analyzer()
        index.register_tokenizer("words", self._analyzer)

    @classmethod
    def create(cls, folder: Path) -> TantivyIndex:
        """An empty index in a folder, in place of whatever is there."""
        import tantivy

        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return cls(tantivy.Index(_schema(), path=str(folder)))

    @classmethod
    def open(cls, folder: Path) -> TantivyIndex:
        """The index in a folder.

        Raises
        ------
        LibraryDamaged
            If there is none, or one that can't be read.
        """
        import tantivy

        try:
            return cls(tantivy.Index.open(str(folder)))
        except ValueError as error:
            raise LibraryDamaged(f"the word index can't be read: {error}") from error

    def update(self, removed: Iterable[int], added: Iterable[tuple[int, str, str]]) -> None:
        """Take out passages and put others in, all of it or nothing.

        Parameters
        ----------
        removed
            Keys; unknown ones are passed over.
        added
            Keys, with the text and the context (title and headings) of each. One that is in
            the index already is replaced, so an update may be repeated after a crash.
        """
        import tantivy

        writer = self._index.writer(WRITER_MEMORY, 1)
        for key in removed:
            writer.delete_documents_by_term("key", key)
        for key, text, context in added:
            writer.delete_documents_by_term("key", key)
            document = tantivy.Document(text=text, context=context)
            document.add_integer("key", key)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()

    def reader(self) -> TantivyReader:
        """What is committed now; later updates don't change it."""
        self._index.reload()
        return TantivyReader(self._index.searcher(), self._index.schema, self._analyzer)


class TantivyReader:
    """A snapshot of a :class:`TantivyIndex`."""

    def __init__(
        self,
        searcher: tantivy.Searcher,
        schema: tantivy.Schema,
        analyzer: tantivy.TextAnalyzer,
    ) -> None:
        self._searcher = searcher
        self._schema = schema
        self._analyzer = analyzer

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def search(
        self, question: str, count: int, among: Sequence[int] | None = None
    ) -> tuple[Keys, Scores]:
        """The keys of the best ``count`` passages, best first, with scores in [0, 1]."""
        words = self._words(question)
        if not words or count < 1 or (among is not None and not len(among)):
            return np.zeros(0, np.int64), np.zeros(0)
        return self._run(words, count, among)

    def score(self, question: str, keys: Sequence[int]) -> Scores:
        """The scores of given passages, in [0, 1]; 0 for one that shares no word."""
        found, scores = self.search(question, len(keys), keys)
        by_key = dict(zip(found.tolist(), scores.tolist(), strict=True))
        return np.array([by_key.get(int(key), 0.0) for key in keys])

    def matched(self, question: str, text: str) -> tuple[str, ...]:
        """The words of ``text``, as they stand there, that the question's words find."""
        words = set(self._words(question))
        tokens = self._analyzer.pre_tokenize(text).tokens
        found = [text[t.char_offset_from : t.char_offset_to] for t in tokens if t.text in words]
        return tuple(dict.fromkeys(found))

    def _words(self, question: str) -> list[str]:
        return sorted(set(self._analyzer.analyze(question)))

    def _query(self, words: Sequence[str], among: Sequence[int] | None) -> tantivy.Query:
        from tantivy import Occur, Query

        # Term by term, not through the query parser: a question is no query language.
        text = [Query.term_query(self._schema, "text", word) for word in words]
        context = [
            Query.boost_query(Query.term_query(self._schema, "context", word), CONTEXT_WEIGHT)
            for word in words
        ]
        any_of = Query.boolean_query([(Occur.Should, query) for query in text + context])
        if among is None:
            return any_of
        one_of = Query.term_set_query(self._schema, "key", [int(key) for key in among])
        return Query.boolean_query(
            [(Occur.Must, any_of), (Occur.Must, Query.const_score_query(one_of, 0.0))]
        )

    def _run(
        self, words: Sequence[str], count: int, among: Sequence[int] | None
    ) -> tuple[Keys, Scores]:
        query = self._query(words, among)
        hits = self._searcher.search(query, limit=count, count=False).hits
        keys = self._searcher.fast_field_values("key", [address for _, address in hits])
        scores = np.array([score for score, _ in hits], dtype=np.float64)
        # A context that repeats the passage's words can lift it above the bound.
        return np.array(keys, dtype=np.int64), np.minimum(scores / self._bound(words), 1.0)

    def _bound(self, words: Sequence[str]) -> float:
        """What a passage would score that is full of every word and next to nothing else."""
        passages = self._searcher.num_docs
        frequencies = [self._searcher.doc_freq("text", word) for word in words]
        rarities = (
            math.log1p(max(passages - found + 0.5, 0.0) / (found + 0.5)) for found in frequencies
        )
        return SATURATION * sum(rarities)


def _analyzer() -> tantivy.TextAnalyzer:
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return (
        TextAnalyzerBuilder(Tokenizer.simple())
        .filter(Filter.remove_long(LONGEST_WORD))
        .filter(Filter.lowercase())
        .filter(Filter.ascii_fold())
        .filter(Filter.stopword("english"))
        .filter(Filter.stemmer("english"))
        .build()
    )


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    # Signed: delete_documents_by_term takes a Python int for a signed term, and on an unsigned
    # field would delete nothing, without a word.
    builder.add_integer_field("key", indexed=True, fast=True)
    # No positions: phrases are not searched yet, and they would double the index.
    builder.add_text_field("text", tokenizer_name="words", index_option="freq")
    builder.add_text_field("context", tokenizer_name="words", index_option="freq")
    return builder.build()
