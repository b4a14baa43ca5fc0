"""Searches that go without a part of the ranking, composed of the stages of a library's own.

A variant is other weights, or another view of what the stages read: of the query's encoding, or of
the library. ``ablations.py`` measures what each part is worth, and ``quality.py --variant`` one
variant by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag import Hit, Library
from rag.evaluation.labelled_sets import Question
from rag.evaluation.report import Search
from rag.index.records import StoredTokens
from rag.models.query_cache import QueryCache
from rag.search import pipeline
from rag.search.scoring import DEFAULT, SearchConfig
from rag.types import QueryEncoding
from rag.types.filters import Filter


class View:
    """An encoder or a searcher as it is, but for the methods of a subclass."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def __len__(self) -> int:
        return len(self.inner)

    def filtered(self, *conditions: object) -> View:
        """The same view of a part of the library."""
        return type(self)(self.inner.filtered(*conditions))


class WithoutLexicalIndex(View):
    """The lexical index proposes nothing."""

    def lexical(
        self, question: str, passages: int, among: Sequence[int] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """No passages, but the scores of given ones."""
        return self.inner.lexical(question, 0 if among is None else passages, among)


class OneVectorPerPassage(View):
    """A passage has one vector: the mean of its sentences', weighted by their tokens."""

    def sentences(self, keys: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The mean vectors, one for each passage."""
        tokens = self.inner.tokens(keys)
        found, counts, vectors = self.inner.sentences(keys)
        each = np.split(vectors, np.cumsum(counts)[:-1])
        means = {
            key: mean_vector(rows, tokens[key].counts)
            for key, rows in zip(found.tolist(), each, strict=False)
            if key in tokens
        }
        if not means:
            return self.inner.sentences([])
        return np.array([*means]), np.ones(len(means), np.int64), np.stack([*means.values()])


class WithoutTitles(View):
    """No document has a title."""

    def tokens(self, keys: Sequence[int]) -> Mapping[int, StoredTokens]:
        """The tokens of passages alone."""
        found = self.inner.tokens(keys)
        return {key: replace(one, title=one.title[:0]) for key, one in found.items()}


class PunctuationWeighted(View):
    """Punctuation tokens weigh as much as their IDF."""

    def query(self, question: str) -> QueryEncoding:
        """The encoding, all of whose tokens pass for words."""
        found = self.inner.query(question)
        return replace(found, is_word=np.ones_like(found.is_word))


class AllTokensOfWords(View):
    """Every token of a word counts in choosing the answering sentence, not the first one alone."""

    def query(self, question: str) -> QueryEncoding:
        """The encoding, all of whose tokens pass for beginnings of words."""
        found = self.inner.query(question)
        return replace(found, continued=np.zeros_like(found.continued))


@dataclass(frozen=True, slots=True)
class Variant:
    """Weights and depths, and how the encoder and the library are seen; as they are by default."""

    config: SearchConfig = DEFAULT
    encoder: Callable[[object], object] = lambda encoder: encoder
    searcher: Callable[[object], object] = lambda searcher: searcher


WITHOUT = {
    "word index": Variant(SearchConfig(dense_weight=1.0), searcher=WithoutLexicalIndex),
    "vectors": Variant(SearchConfig(dense_weight=0.0)),
    "vectors of sentences, not of passages": Variant(searcher=OneVectorPerPassage),
    "late interaction": Variant(SearchConfig(late_weight=0.0)),
    "fusion in the score": Variant(SearchConfig(late_weight=1.0)),
    "the best sentence's share": Variant(SearchConfig(sentence_share=0.0)),
    "marks without weight": Variant(encoder=PunctuationWeighted),
    "titles for every passage": Variant(searcher=WithoutTitles),
    "sentence before": Variant(SearchConfig(context_share=0.0)),
    "only beginnings of words": Variant(encoder=AllTokensOfWords),
    "chance by length": Variant(SearchConfig(length_penalty=0.0)),
}
"""Each part by its name, with the search that goes without it."""

VARIANTS = {
    "hybrid": Variant(),
    "lexical": Variant(SearchConfig(dense_weight=0.0, late_weight=0.0)),
    **WITHOUT,
}
"""A library's own search, BM25 alone, and the others."""


def searches(library: Library, variants: Sequence[Variant]) -> list[Search]:
    """The searches of a snapshot of the library; the model reads each question once for all."""
    encoder = QueryCache(library.embedder)
    snapshot = library.engine.searcher()

    def search_of(variant: Variant) -> Search:
        view = {"embedder": variant.encoder(encoder), "library": variant.searcher(snapshot)}

        def search(question: Question, k: int) -> Sequence[Hit]:
            conditions = Filter(where=question.where)
            return pipeline.search(question.text, k, conditions, config=variant.config, **view).hits

        return search

    return [search_of(variant) for variant in variants]


def mean_vector(sentences: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The mean of sentence vectors, weighted by their tokens, at length 1.

    Parameters
    ----------
    sentences
        Shape (sentences, dimension), of unit norm.
    counts
        Tokens per sentence, shape (sentences,); if all are zero, weights are equal.
    """
    weights = counts if counts.any() else np.ones(len(counts))
    mean = weights.astype(np.float32) @ sentences
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
