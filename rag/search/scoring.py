"""Scoring of candidates: pure functions over arrays, without index or store.

Every score lies in [0, 1] on a scale that does not depend on the other candidates, so a passage has
the same score whatever else is retrieved (theoretical min-max in Bruch, Gai and Ingber, "An
analysis of fusion functions for hybrid retrieval", ACM TOIS 2023).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.types.arrays import Scores


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """Weights, all in [0, 1], and depths of a search, at least 1. Libraries use the defaults.

    Parameters
    ----------
    dense_weight
        Weight of the dense score in the fusion; the rest is BM25's. At 0 the vector index proposes
        nothing.
    late_weight
        Weight of late interaction in the score; the rest is the fusion's.
    sentence_share
        Weight of the best sentence in late interaction; the rest is the whole passage's.
    context_share
        In choosing the answering sentence, weight of its score together with the sentence before
        it.
    length_penalty
        In that choice, this times the logarithm of the number of tokens is subtracted, to make up
        for matches by chance.
    index_depth
        Candidates from each index.
    sentence_depth
        Sentences retrieved from the vector index to get that many passages: a good one has several.
    late_depth
        Best passages of the fusion to rerank by late interaction.
    rerank_depth
        Best passages of those to rerank with a cross-encoder, if there is one.
    """

    dense_weight: float = 0.5
    late_weight: float = 0.75
    sentence_share: float = 0.35
    context_share: float = 0.4
    length_penalty: float = 0.01
    index_depth: int = 100
    sentence_depth: int = 300
    late_depth: int = 50
    rerank_depth: int = 20

    def deep_enough(self, k: int) -> SearchConfig:
        """A copy with depths sufficient for ``k`` hits."""
        return replace(
            self,
            index_depth=max(self.index_depth, 2 * k),
            sentence_depth=max(self.sentence_depth, 6 * k),
            late_depth=max(self.late_depth, 2 * k),
            rerank_depth=max(self.rerank_depth, 2 * k),
        )

    def for_legibility(self, legibility: float) -> SearchConfig:
        """A copy for a query of that legibility, in [0, 1]: the dense and late-interaction weights
        are multiplied by it, and BM25 gets the rest. At 0 that is BM25 alone.
        """
        return replace(
            self,
            dense_weight=legibility * self.dense_weight,
            late_weight=legibility * self.late_weight,
        )


DEFAULT = SearchConfig()
"""What libraries search with."""


def fuse(dense: Scores, lexical: Scores, config: SearchConfig = DEFAULT) -> Scores:
    """Convex combination of both indexes' scores: ``w · dense + (1 - w) · lexical``.

    Parameters
    ----------
    dense
        Cosines in [-1, 1], of which negative ones count as 0; shape (candidates,).
    lexical
        BM25 as a share of its upper bound for the query, in [0, 1]; shape (candidates,).
    """
    return config.dense_weight * np.maximum(dense, 0.0) + (1.0 - config.dense_weight) * lexical


def rescale_lexical(lexical: Scores, legibility: float) -> Scores:
    """Rescale the lexical scores to match their weight: ``lexical ** ((1 + l) / 2)``.

    For relevant passages, normalized BM25 is about the square of the late-interaction score, so
    where BM25 ranks alone its square root is taken: the order is the same, and scores are
    comparable across the languages of a library.
    """
    return lexical ** ((1.0 + legibility) / 2.0)


def combine(fused: Scores, late: Scores, config: SearchConfig = DEFAULT) -> Scores:
    """The final score, from fusion and late interaction; all in [0, 1]."""
    return (1.0 - config.late_weight) * fused + config.late_weight * late


def idf(document_frequency: NDArray[np.int64], documents: int) -> Scores:
    """Inverse document frequency: ``ln(1 + (N - df + 0.5) / (df + 0.5))``, as in BM25.

    Robertson and Zaragoza, "The probabilistic relevance framework", 2009; the added 1 keeps it
    positive. Near 0 for a term in every document, largest for one in none.
    """
    df = document_frequency.astype(np.float64)
    return np.log1p((documents - df + 0.5) / (df + 0.5))


def best_of_runs(
    scores: NDArray[np.floating], lengths: NDArray[np.int64], none: float = -np.inf
) -> Scores:
    """Maximum score of each of consecutive runs along the last axis.

    Parameters
    ----------
    scores
        Shape (…, scores).
    lengths
        Number of scores in each run; they add up to the last axis. Shape (runs,).
    none
        Value for an empty run.
    """
    best = np.full((*scores.shape[:-1], len(lengths)), none)
    filled = np.flatnonzero(lengths)
    if len(filled):  # reduceat can't take empty ranges
        begins = (np.cumsum(lengths) - lengths)[filled]
        best[..., filled] = np.maximum.reduceat(scores, begins, axis=-1)
    return best


def group_duplicates(texts: Sequence[str]) -> list[list[int]]:
    """Indices of the texts, grouped if they differ in case and whitespace only, in order of the
    first of each group.
    """
    beginnings = [_beginning(text) for text in texts]
    common = Counter(beginnings)
    groups: dict[str, list[int]] = {}
    for i, beginning in enumerate(beginnings):
        # Most texts have a unique beginning, so there is no need to compare the rest.
        unique = common[beginning] == 1
        words = beginning if unique else " ".join(texts[i].split()).casefold()
        groups.setdefault(words, []).append(i)
    return list(groups.values())


def _beginning(text: str) -> str:
    """The first eight words, in lower case."""
    return " ".join(text.split(maxsplit=8)[:8]).casefold()
