"""How candidates are ordered: pure functions over arrays, no index and no store.

Every score lies in [0, 1] on a scale that does not depend on the other candidates, so that the
same passage has the same score whatever else was found (Bruch, Gai and Ingber, "An analysis of
fusion functions for hybrid retrieval", ACM TOIS 2023, call it theoretical min-max).
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
"""Those settings of a :class:`Ranking` that lie in [0, 1]; its depths are whole numbers."""


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
    sentence_share
        Share of the best sentence in the late interaction, in [0, 1]; the rest is the whole
        passage's.
    marks_weight
        What a token without letter or digit counts, as a share of its rarity, in [0, 1]. A
        question mark is rare in documents, and says nothing of what is asked for.
    titles
        Whether a token of the question may be met in the title, too, that leads a passage's
        document: what stands further down seldom names again what it is about.
    continued_weight
        What a token that continues a word counts in the choice of the answering sentence, in
        [0, 1]. Each token stands for its word, having been read with the others, so that a rare
        name of many pieces would outweigh all else.
    before_share
        Share of what a sentence meets together with the one before it in that choice, in [0, 1].
    chance
        What a sentence meets by chance in that choice, each time that it is e times as long; in
        [0, 1].
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
        """The same, with depths from which ``k`` hits can come."""
        return replace(
            self,
            passages_proposed=max(self.passages_proposed, 2 * k),
            sentences_proposed=max(self.sentences_proposed, 6 * k),
            reordered=max(self.reordered, 2 * k),
            reranked=max(self.reranked, 2 * k),
        )

    def for_legibility(self, legibility: float) -> Ranking:
        """The same for a question that the model can read only so far, in [0, 1]: what it says of
        meaning and tokens weighs accordingly, and words the rest. At 0 that is BM25 alone.
        """
        return replace(
            self,
            meaning_weight=legibility * self.meaning_weight,
            tokens_weight=legibility * self.tokens_weight,
        )


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


def rescaled(signals: Signals, legibility: float) -> Signals:
    """The signals with words on the scale that their weight asks for: ``words ** ((1 + l) / 2)``.

    BM25 alone gives a right passage about the square of what late interaction does, so where it
    ranks alone its root is taken: the order is the same, and a score means about the same in
    every language of a library.
    """
    return replace(signals, words=signals.words ** ((1.0 + legibility) / 2.0))


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


def best_of_groups(
    scores: NDArray[np.floating], groups: NDArray[np.int64], count: int, none: float = -np.inf
) -> Scores:
    """The highest score of each of ``count`` groups, along the last axis.

    Parameters
    ----------
    scores
        Shape (…, scores).
    groups
        The group of each score, rising; shape (scores,).
    none
        What a group without any score gets.
    """
    return _best_of_runs(scores, np.bincount(groups, minlength=count), none)


def _best_of_runs(scores: NDArray[np.floating], lengths: NDArray[np.int64], none: float) -> Scores:
    """The highest score of each run along the last axis; the runs follow each other."""
    best = np.full((*scores.shape[:-1], len(lengths)), none)
    filled = np.flatnonzero(lengths)
    if len(filled):  # reduceat can't take empty ranges
        begins = (np.cumsum(lengths) - lengths)[filled]
        best[..., filled] = np.maximum.reduceat(scores, begins, axis=-1)
    return best


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """How well each token of a question is met in each sentence of some passages.

    ``best`` is the highest cosine of the token with one of the sentence's: shape (tokens of the
    question, sentences), -1 where a sentence has no token. ``title`` is that with the title of
    each passage's document: shape (tokens of the question, passages), -1 where it has none.
    ``owner`` is the position of each sentence's passage, rising, and ``lengths`` the number of
    its tokens; shape (sentences,).
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
    """Meet the tokens of a question with those of passages, one bit a dimension on their side.

    Khattab and Zaharia, "ColBERT", SIGIR 2020, on a model that was not trained for it.

    Parameters
    ----------
    question
        Shape (tokens, dimension).
    bits
        The tokens of all passages, one passage after the other.
    counts
        For each passage the number of tokens of each of its sentences; together the rows of
        ``bits``.
    titles
        For each passage the tokens of the title that leads its document, where there are any;
        none at all if no document is led by one.
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
    """How well each passage meets the question, in [0, 1].

    ``(1 - s) · Σ w · max over the passage + s · the highest of a sentence's Σ w · max over the
    sentence``, each divided by ``Σ w``: the first is ColBERT's MaxSim, and the second, with the
    share s of :attr:`Ranking.sentence_share`, asks that the question be met in one place. The
    title that leads a document stands with each sentence of it.

    Parameters
    ----------
    met
        What :func:`late_interaction` gives.
    weights
        Of the question's tokens, shape (tokens,), none negative; all zero counts as all equal.
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
    """How well each sentence answers the question, for each passage: the highest is marked.

    A sentence often takes up what the one before it named, so a part of its score is what the
    two meet together. The logarithm of its length is what a longer sentence meets by chance.

    Parameters
    ----------
    met, weights
        As in :func:`passage_scores`.
    continued
        Which of the question's tokens continue a word, shape (tokens,).
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
    """Positions in order of falling score; equal scores in order of their keys."""
    return sorted(range(len(keys)), key=lambda i: (-scores[i], keys[i]))


def folded(
    order: Sequence[int], texts: Sequence[str], keys: Sequence[tuple[str, int]]
) -> list[list[int]]:
    """Positions with the same words put together, in the order of the best of each.

    Upper and lower case and blanks make no difference. Within a group the order is that of the
    keys: the scores of the same words differ by rounding and by what stands above them, which
    is no reason to show one rather than the other.
    """
    beginnings = {i: _beginning(texts[i]) for i in order}
    common = Counter(beginnings.values())
    groups: dict[str, list[int]] = {}
    for i in order:
        # Most texts begin like no other, and then their other words say nothing more.
        alone = common[beginnings[i]] == 1
        words = beginnings[i] if alone else " ".join(texts[i].split()).casefold()
        groups.setdefault(words, []).append(i)
    return [sorted(group, key=lambda i: keys[i]) for group in groups.values()]


def _beginning(text: str) -> str:
    """The first eight words, in lower case."""
    return " ".join(text.split(maxsplit=8)[:8]).casefold()
