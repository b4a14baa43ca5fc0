"""Scoring of candidates: pure functions over arrays, without index or store.

Every score lies in [0, 1] on a scale that does not depend on the other candidates, so a passage has
the same score whatever else is retrieved (theoretical min-max in Bruch, Gai and Ingber, "An
analysis of fusion functions for hybrid retrieval", ACM TOIS 2023).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from rag.errors import InputError
from rag.search import late_interaction as signs
from rag.types.arrays import Scores, TokenBits, TokenVectors, Vector, Vectors

WEIGHTS = (
    *("meaning_weight", "tokens_weight", "sentence_share", "marks_weight", "continued_weight"),
    *("before_share", "chance"),
)
"""The fields of :class:`Ranking` that lie in [0, 1]; its depths are integers."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Weights and depths of retrieval; libraries use the defaults, other values are for tests.

    Parameters
    ----------
    meaning_weight
        Weight of the dense score in the fusion, in [0, 1]; the rest is BM25's. An index with weight
        0 proposes nothing.
    tokens_weight
        Weight of late interaction in the score, in [0, 1]; the rest is the fusion's.
    sentence_share
        Weight of the best sentence in late interaction, in [0, 1]; the rest is the whole passage's.
    marks_weight
        Weight of a punctuation token, as a share of its IDF, in [0, 1]. A question mark is rare in
        documents, yet says nothing about what is asked.
    titles
        Whether query tokens may also match the title of a passage's document: later passages seldom
        repeat what the document is about.
    continued_weight
        Weight of a token that continues a word in choosing the answering sentence, in [0, 1]. A
        word's first token stands for the word, since it was encoded in context; otherwise a rare
        name of many pieces would outweigh everything else.
    before_share
        Weight of a sentence's score together with the one before it in that choice, in [0, 1].
    chance
        Penalty for length in that choice: subtracted once for each factor of e in the number of
        tokens, for matches by chance; in [0, 1].
    whole_passages
        Score passages by their mean sentence vector, as with one vector per passage, instead of by
        their best sentence.
    passages_proposed
        Candidates from each index.
    sentences_proposed
        Nearest sentences retrieved to get them: a good passage has several.
    reordered
        Best passages of the fusion to rerank by late interaction.
    reranked
        Best passages of those to rerank with a cross-encoder, if there is one.

    Raises
    ------
    InputError
        If a weight is not in [0, 1], or a depth is below 1.
    """

    meaning_weight: float = 0.5
    tokens_weight: float = 0.75
    sentence_share: float = 0.35
    marks_weight: float = 0.0
    titles: bool = True
    continued_weight: float = 0.0
    before_share: float = 0.4
    chance: float = 0.01
    whole_passages: bool = False
    passages_proposed: int = 100
    sentences_proposed: int = 300
    reordered: int = 50
    reranked: int = 20

    def __post_init__(self) -> None:
        for name in WEIGHTS:
            weight = getattr(self, name)
            if not 0.0 <= weight <= 1.0:
                raise InputError(f"{name} is a share: it must lie between 0 and 1, not be {weight}")
        for name in ("passages_proposed", "sentences_proposed", "reordered", "reranked"):
            depth = getattr(self, name)
            if depth < 1:
                raise InputError(f"{name} must be at least 1, not {depth}")

    def deep_enough(self, k: int) -> Ranking:
        """A copy with depths sufficient for ``k`` hits."""
        return replace(
            self,
            passages_proposed=max(self.passages_proposed, 2 * k),
            sentences_proposed=max(self.sentences_proposed, 6 * k),
            reordered=max(self.reordered, 2 * k),
            reranked=max(self.reranked, 2 * k),
        )

    def for_legibility(self, legibility: float) -> Ranking:
        """A copy for a query of that legibility, in [0, 1]: the dense and late-interaction weights
        are multiplied by it, and BM25 gets the rest. At 0 that is BM25 alone.
        """
        return replace(
            self,
            meaning_weight=legibility * self.meaning_weight,
            tokens_weight=legibility * self.tokens_weight,
        )


DEFAULT = Ranking()
"""The settings that libraries use."""


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """First-stage scores, one entry per candidate.

    ``meaning`` is the dense score, a cosine in [-1, 1]. ``words`` is the lexical score, BM25 as a
    share of its upper bound for the query, in [0, 1]. To add a signal, add a field here, a weight
    in :class:`Ranking` and a term in :func:`fuse`.
    """

    meaning: Scores
    words: Scores


def fuse(signals: Signals, settings: Ranking = DEFAULT) -> Scores:
    """Convex combination of the signals: ``w · meaning + (1 - w) · words``.

    A negative cosine counts as 0, so the result lies in [0, 1].
    """
    meaning = np.maximum(signals.meaning, 0.0)
    return settings.meaning_weight * meaning + (1.0 - settings.meaning_weight) * signals.words


def rescaled(signals: Signals, legibility: float) -> Signals:
    """Rescale the lexical scores to match their weight: ``words ** ((1 + l) / 2)``.

    BM25 alone gives a relevant passage about the square of its late-interaction score, so if it
    ranks alone its square root is taken: the order is the same, and scores are comparable across
    the languages of a library.
    """
    return replace(signals, words=signals.words ** ((1.0 + legibility) / 2.0))


def combine(fused: Scores, tokens: Scores, settings: Ranking = DEFAULT) -> Scores:
    """The final score, from fusion and late interaction; all in [0, 1]."""
    return (1.0 - settings.tokens_weight) * fused + settings.tokens_weight * tokens


def mean_vector(sentences: Vectors, counts: NDArray[np.int32]) -> Vector:
    """One vector for a whole passage: the mean of its sentences, weighted by their tokens.

    Parameters
    ----------
    sentences
        Shape (sentences, dimension), of unit norm.
    counts
        Tokens per sentence, shape (sentences,); if all are zero, weights are equal.
    """
    weights = counts if counts.any() else np.ones(len(counts))
    mean = weights.astype(np.float32) @ sentences
    return cast("Vector", mean / max(float(np.linalg.norm(mean)), 1e-12))


def rarity(document_frequency: NDArray[np.int64], documents: int) -> Scores:
    """Inverse document frequency: ``ln(1 + (N - df + 0.5) / (df + 0.5))``, as in BM25.

    Robertson and Zaragoza, "The probabilistic relevance framework", 2009; the added 1 keeps it
    positive. Near 0 for a term in every document, largest for one in none.
    """
    df = document_frequency.astype(np.float64)
    return np.log1p((documents - df + 0.5) / (df + 0.5))


def best_of_groups(
    scores: NDArray[np.floating], groups: NDArray[np.int64], count: int, none: float = -np.inf
) -> Scores:
    """Maximum score of each of ``count`` groups, along the last axis.

    Parameters
    ----------
    scores
        Shape (…, scores).
    groups
        The group of each score, ascending; shape (scores,).
    none
        Value for an empty group.
    """
    return _best_of_runs(scores, np.bincount(groups, minlength=count), none)


def _best_of_runs(scores: NDArray[np.floating], lengths: NDArray[np.int64], none: float) -> Scores:
    """Maximum score of each of consecutive runs along the last axis."""
    best = np.full((*scores.shape[:-1], len(lengths)), none)
    filled = np.flatnonzero(lengths)
    if len(filled):  # reduceat can't take empty ranges
        begins = (np.cumsum(lengths) - lengths)[filled]
        best[..., filled] = np.maximum.reduceat(scores, begins, axis=-1)
    return best


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """Best match of each query token in each sentence of some passages.

    ``best`` is the highest cosine of the query token with any token of the sentence: shape (query
    tokens, sentences), -1 for a sentence without tokens. ``title`` is the same for the title of
    each passage's document: shape (query tokens, passages), -1 if there is none. ``owner`` is the
    index of each sentence's passage, ascending, and ``lengths`` its number of tokens; shape
    (sentences,).
    """

    best: NDArray[np.float64]
    title: NDArray[np.float64]
    owner: NDArray[np.int64]
    lengths: NDArray[np.int64]
    passages: int


def late_interaction(
    question: TokenVectors,
    bits: TokenBits,
    counts: Sequence[NDArray[np.int32]],
    titles: Sequence[TokenBits] = (),
) -> Met:
    """Compare query tokens with those of passages, which have one bit per dimension.

    Khattab and Zaharia, "ColBERT", SIGIR 2020, with a model that was not trained for it.

    Parameters
    ----------
    question
        Shape (tokens, dimension).
    bits
        The tokens of all passages, concatenated.
    counts
        For each passage the number of tokens per sentence; they add up to the rows of ``bits``.
    titles
        For each passage the tokens of its document's title, which may be none; empty if no document
        has a title.
    """
    lengths = np.concatenate([*counts, np.zeros(0, np.int32)]).astype(np.int64)
    owner = np.repeat(np.arange(len(counts)), [len(one) for one in counts])
    best = _best_of_runs(signs.cosines(question, bits), lengths, -1.0)
    title = np.full((len(question), len(counts)), -1.0)
    if titles:
        of_titles = np.array([len(one) for one in titles], dtype=np.int64)
        title = _best_of_runs(signs.cosines(question, np.concatenate(titles)), of_titles, -1.0)
    return Met(best, title, owner, lengths, len(counts))


def passage_scores(met: Met, weights: Scores, settings: Ranking = DEFAULT) -> Scores:
    """Late-interaction score of each passage, in [0, 1].

    ``(1 - s) · Σ w · max over the passage + s · max over its sentences of Σ w · max over the
    sentence``, each divided by ``Σ w``. The first term is ColBERT's MaxSim; the second, with the
    share s of :attr:`Ranking.sentence_share`, rewards a query matched in one place. A document's
    title counts as part of each sentence.

    Parameters
    ----------
    met
        Output of :func:`late_interaction`.
    weights
        Weights of the query tokens, shape (tokens,), not negative; if all are zero, they are equal.
    """
    share = _shares(weights)
    best = np.maximum(met.best, met.title[:, met.owner]) if settings.titles else met.best
    whole = share @ best_of_groups(best, met.owner, met.passages, -1.0)
    in_one = best_of_groups(share @ best, met.owner, met.passages)
    mixed = (1.0 - settings.sentence_share) * whole + settings.sentence_share * in_one
    return np.clip(mixed, 0.0, 1.0)


def sentence_scores(
    met: Met, weights: Scores, continued: NDArray[np.bool_], settings: Ranking = DEFAULT
) -> list[Scores]:
    """Score of each sentence as the answer, for each passage; the highest is highlighted.

    A sentence often refers back to what the one before it named, so part of its score is for the
    two together. The term in the logarithm of its length corrects for matches by chance.

    Parameters
    ----------
    met, weights
        As in :func:`passage_scores`.
    continued
        Which query tokens continue a word, shape (tokens,).
    """
    beginnings = np.where(continued, settings.continued_weight, 1.0)
    share = _shares(weights * beginnings)
    with_before = met.best.copy()
    follows = met.owner[1:] == met.owner[:-1]
    with_before[:, 1:][:, follows] = np.maximum(met.best[:, 1:], met.best[:, :-1])[:, follows]
    scores = (
        (1.0 - settings.before_share) * (share @ met.best)
        + settings.before_share * (share @ with_before)
        - settings.chance * np.log(np.maximum(met.lengths, 1))
    )
    ends = np.searchsorted(met.owner, np.arange(1, met.passages), side="left")
    return np.split(scores, ends)


def _shares(weights: Scores) -> Scores:
    total = weights.sum()
    return weights / total if total > 0.0 else np.full(len(weights), 1.0 / max(len(weights), 1))


def best_first(scores: Scores, keys: Sequence[tuple[str, int]]) -> list[int]:
    """Indices by descending score; ties by key."""
    return sorted(range(len(keys)), key=lambda i: (-scores[i], keys[i]))


def folded(
    order: Sequence[int], texts: Sequence[str], keys: Sequence[tuple[str, int]]
) -> list[list[int]]:
    """Group passages with the same text; groups are ordered by their best passage.

    Case and whitespace are ignored. Within a group the order is by key: scores of the same text
    differ only by rounding and by the headings above it, which is no reason to prefer one.
    """
    beginnings = {i: _beginning(texts[i]) for i in order}
    common = Counter(beginnings.values())
    groups: dict[str, list[int]] = {}
    for i in order:
        # Most texts have a unique beginning, so there is no need to compare the rest.
        alone = common[beginnings[i]] == 1
        words = beginnings[i] if alone else " ".join(texts[i].split()).casefold()
        groups.setdefault(words, []).append(i)
    return [sorted(group, key=lambda i: keys[i]) for group in groups.values()]


def _beginning(text: str) -> str:
    """The first eight words, in lower case."""
    return " ".join(text.split(maxsplit=8)[:8]).casefold()
