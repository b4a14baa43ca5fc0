"""How candidates are ordered: pure functions over arrays, no index and no store.

Every score lies in [0, 1] on a scale that does not depend on the other candidates, so that the
same passage has the same score whatever else was found (Bruch, Gai and Ingber, "An analysis of
fusion functions for hybrid retrieval", ACM TOIS 2023, call it theoretical min-max).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rag.arrays import Scores, TokenBits, TokenVectors, Vector, Vectors
from rag.errors import InputError


@dataclass(frozen=True, slots=True)
class Ranking:
    """How passages are proposed and ordered. The defaults are what a library does; anything else
    is for measuring it against.

    Parameters
    ----------
    meaning_weight
        Share of the cosine in the fusion, in [0, 1]; the rest is BM25's. An index without a
        share proposes nothing.
    tokens_weight
        Share of the late interaction in the score, in [0, 1]; the rest is the fusion's.
    whole_passages
        Take the cosine of the mean of a passage's sentences, as if it had one vector, and not
        that of its best sentence.
    passages_proposed
        Passages that each index proposes.
    sentences_proposed
        Nearest sentences that are looked at for them: a good passage has several.
    reordered
        Best passages of the fusion that are re-ordered by late interaction.
    reranked
        Best passages of those that go through a cross-encoder, where there is one.

    Raises
    ------
    InputError
        If a weight is not a share, or a depth is below 1.
    """

    meaning_weight: float = 0.5
    tokens_weight: float = 0.75
    whole_passages: bool = False
    passages_proposed: int = 100
    sentences_proposed: int = 300
    reordered: int = 50
    reranked: int = 20

    def __post_init__(self) -> None:
        for name in ("meaning_weight", "tokens_weight"):
            weight = getattr(self, name)
            if not 0.0 <= weight <= 1.0:
                raise InputError(f"{name} is a share: it must lie between 0 and 1, not be {weight}")
        for name in ("passages_proposed", "sentences_proposed", "reordered", "reranked"):
            depth = getattr(self, name)
            if depth < 1:
                raise InputError(f"{name} must be at least 1, not {depth}")


DEFAULT = Ranking()
"""What a library does."""


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """What is known of each candidate before its tokens are looked at; one entry a candidate.

    ``meaning`` is a cosine, in [-1, 1]. ``words`` is the BM25 score as a share of the best there
    is for the question, in [0, 1]. A further signal is a field here, a weight in
    :class:`Ranking` and a term in :func:`fuse`.
    """

    meaning: Scores
    words: Scores


def fuse(signals: Signals, settings: Ranking = DEFAULT) -> Scores:
    """The convex combination of the signals: ``w · meaning + (1 - w) · words``.

    A negative cosine counts as 0, so that the result lies in [0, 1].
    """
    meaning = np.maximum(signals.meaning, 0.0)
    return settings.meaning_weight * meaning + (1.0 - settings.meaning_weight) * signals.words


def combine(fused: Scores, tokens: Scores, settings: Ranking = DEFAULT) -> Scores:
    """The score, from the fusion and the late interaction; all in [0, 1]."""
    return (1.0 - settings.tokens_weight) * fused + settings.tokens_weight * tokens


def mean_vector(sentences: Vectors, counts: NDArray[np.int32]) -> Vector:
    """One vector for a whole passage: the mean of its sentences', each weighing its tokens.

    Parameters
    ----------
    sentences
        Shape (sentences, dimension), of unit norm.
    counts
        Tokens of each sentence, shape (sentences,); all zero counts as all equal.
    """
    weights = counts if counts.any() else np.ones(len(counts))
    mean = weights.astype(np.float32) @ sentences
    return cast("Vector", mean / max(float(np.linalg.norm(mean)), 1e-12))


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
