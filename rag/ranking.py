"""How candidates are ordered: pure functions over arrays, no index and no store.

Every score lies in [0, 1] on a scale that does not depend on the other candidates, so that the
same passage has the same score whatever else was found (Bruch, Gai and Ingber, "An analysis of
fusion functions for hybrid retrieval", ACM TOIS 2023, call it theoretical min-max).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.types import Scores, TokenBits, TokenVectors

MEANING_WEIGHT = 0.5
"""Share of the best sentence's cosine in the fusion; the rest is BM25's."""

TOKENS_WEIGHT = 0.75
"""Share of the late interaction in the final score; the rest is the fusion's."""


def fuse(meaning: Scores, words: Scores) -> Scores:
    """The convex combination of two scores: ``w · meaning + (1 - w) · words``.

    Parameters
    ----------
    meaning
        Cosines in [-1, 1]; a negative one counts as 0.
    words
        BM25 scores as shares of the best there is for the question, in [0, 1].

    Returns
    -------
    Scores
        In [0, 1], shape as given.
    """
    return MEANING_WEIGHT * np.maximum(meaning, 0.0) + (1.0 - MEANING_WEIGHT) * words


def combine(fused: Scores, tokens: Scores) -> Scores:
    """The final score, from the fusion and the late interaction; all in [0, 1]."""
    return (1.0 - TOKENS_WEIGHT) * fused + TOKENS_WEIGHT * tokens


def rarity(document_frequency: NDArray[np.int64], documents: int) -> Scores:
    """Inverse document frequency: ``ln(1 + (N - df + 0.5) / (df + 0.5))``, as in BM25.

    Robertson and Zaragoza, "The probabilistic relevance framework", 2009; the 1 inside keeps it
    positive. Found in every document: near 0; in none: the largest.
    """
    df = document_frequency.astype(np.float64)
    return np.log1p((documents - df + 0.5) / (df + 0.5))


def best_of_groups(scores: Scores, groups: NDArray[np.int64], count: int) -> Scores:
    """The highest score of each of ``count`` groups; ``groups[i]`` is the group of score i.

    A group without any score gets negative infinity.
    """
    best = np.full(count, -np.inf)
    np.maximum.at(best, groups, scores)
    return best


def late_interaction(
    question: TokenVectors,
    weights: Scores,
    bits: TokenBits,
    counts: Sequence[NDArray[np.int32]],
) -> tuple[Scores, list[Scores]]:
    """MaxSim over token bits: how well each token of the question is met, on average.

    For question tokens q with weights w, and a passage (or one of its sentences) with tokens b
    of ±1: ``Σ w · max over b of cos(q, b) / Σ w``.

    Khattab and Zaharia, "ColBERT", SIGIR 2020, with one bit a dimension on the passages' side.

    Parameters
    ----------
    question
        Shape (tokens, dimension).
    weights
        Shape (tokens,), none negative; all zero counts as all equal.
    bits
        The tokens of all passages, one passage after the other.
    counts
        For each passage the number of tokens of each of its sentences; together the rows of
        ``bits``.

    Returns
    -------
    passages, sentences
        A score in [0, 1] for each passage, and for each passage one a sentence. Without any
        token of the question, or of the passage, it is 0.
    """
    per_sentence = np.concatenate([*counts, np.zeros(0, np.int32)]).astype(np.int64)
    owner = np.repeat(np.arange(len(counts)), [len(one) for one in counts])
    splits = np.cumsum([len(one) for one in counts])[:-1]
    if not len(question) or not len(bits):
        empty = np.zeros(len(per_sentence))
        return np.zeros(len(counts)), np.split(empty, splits)
    dimension = question.shape[1]
    signs = np.unpackbits(bits, axis=1, count=dimension).astype(np.float32) * 2.0 - 1.0
    lengths = np.maximum(np.linalg.norm(question, axis=1, keepdims=True), 1e-12)
    cosines = (question / lengths) @ signs.T / np.sqrt(np.float32(dimension))

    total = weights.sum()
    share = weights / total if total > 0 else np.full(len(question), 1.0 / len(question))
    # reduceat can't take empty ranges: sentences without tokens keep the lowest cosine, -1.
    filled = np.flatnonzero(per_sentence)
    begins = (np.cumsum(per_sentence) - per_sentence)[filled]
    best = np.full((len(question), len(per_sentence)), -1.0)
    best[:, filled] = np.maximum.reduceat(cosines, begins, axis=1)
    of_passages = np.full((len(counts), len(question)), -1.0)
    np.maximum.at(of_passages, owner, best.T)

    sentences = np.clip(share @ best, 0.0, 1.0)
    return np.clip(of_passages @ share, 0.0, 1.0), np.split(sentences, splits)


def best_first(scores: Scores, names: Sequence[str]) -> list[int]:
    """Positions in order of falling score; equal scores in order of their names."""
    return sorted(range(len(names)), key=lambda i: (-scores[i], names[i]))


def folded(order: Sequence[int], texts: Sequence[str]) -> list[list[int]]:
    """Positions with the same words put together, in the order of the first of each.

    Upper and lower case and blanks make no difference.
    """
    groups: dict[str, list[int]] = {}
    for i in order:
        groups.setdefault(" ".join(texts[i].casefold().split()), []).append(i)
    return list(groups.values())
