"""Calibration: from a top hit's score to the probability that the query is answered; pure.

Synthetic queries, which the library must be able to answer, are made from its own sentences
(:mod:`rag.confidence.synthetic_queries`); out-of-domain queries, which it can't, come with the
package (:mod:`rag.confidence.out_of_domain`). Both are run, and a logistic curve is fitted to the
scores of their top hits. It takes no labels and no language model.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from rag.errors import InputError
from rag.types.arrays import Scores

FOREIGN_KEPT = 0.9
"""Share of the out-of-domain queries used, those with the lowest scores: the library may cover some
of their subjects, and answer those."""

ANSWERED = 0.7
"""Minimum confidence for an answer to count as likely. Above one half, since the curve knows no
questions on the right subject that the documents leave open: of those, it calls too many answered.
"""

POSSIBLE = 0.15
"""Minimum confidence for an answer to count as possible: below it, nothing was found."""

UNMET = 0.25
"""Share of the confidence that is left if the best passage lacks a number, code, month or name of
the question, or the question is a single word: the curve knows only queries on other subjects, not
on the same one in another year. Measured on a set of near misses (tests/bench/RESULTS.md)."""

BINS = 5
"""Number of equal-width bins of confidence. Most queries are at the ends; with more bins, the
middle ones would have only one or two queries each."""

FOLDS = 10
"""Of the cross-validation. A curve is too good on the queries it was fitted to."""

LOWEST_SCORE, HIGHEST_SCORE = -1.0, 2.0
"""Range of stored scores, and of the threshold; with some room, for scores are in [0, 1]."""

MOST_SCORES = 1_000
"""Maximum number of stored scores of each kind; there are some two hundred in all."""

_WILSON_Z = 1.96

_STEPS = 100
_SETTLED = 1e-10


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve from scores to probabilities, ``1 / (1 + exp(-(slope · score +
    intercept)))``.

    ``known`` and ``foreign`` are the numbers of synthetic and out-of-domain queries that it was
    fitted to, both 0 for the default curve. ``passages`` is the size of the library then.
    ``scoring`` identifies how scores are computed; another method needs another curve.
    ``known_scores`` and ``foreign_scores`` are the scores it was fitted to, ascending and rounded
    to four digits, for inspection.
    """

    slope: float
    intercept: float
    known: int = 0
    foreign: int = 0
    passages: int = 0
    scoring: str = ""
    known_scores: tuple[float, ...] = ()
    foreign_scores: tuple[float, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether it was measured on the library itself, rather than being the default."""
        return self.known > 0

    def confidence(self, score: float) -> float:
        """The probability, in [0, 1], that a query whose top hit has this score is answered.

        The prior is one half.
        """
        return float(0.5 + 0.5 * np.tanh(0.5 * (self.slope * score + self.intercept)))

    @property
    def threshold(self) -> float:
        """The minimum score for a query to count as answered."""
        return (math.log(ANSWERED / (1.0 - ANSWERED)) - self.intercept) / self.slope

    def fits(self, passages: int, scoring: str) -> bool:
        """Whether it is still valid: same scoring, and a library of about the same size."""
        close = 4 * abs(passages - self.passages) <= self.passages
        return self.scoring == scoring and close

    def as_json(self) -> str:
        """Serialize as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Deserialize from :meth:`as_json`; raises ValueError or TypeError if the text is invalid,
        from a version with other fields, or has values that no library has.
        """
        try:
            fields = dict(json.loads(text))
            for name in ("known_scores", "foreign_scores"):
                fields[name] = tuple(map(float, fields.get(name, ())))
            found = cls(**fields)
            possible = found._is_possible()
        except (ArithmeticError, RecursionError) as error:
            raise ValueError("a calibration with a number too large, or nested") from error
        if not possible:
            raise ValueError("a calibration that no library has")
        return found

    def _is_possible(self) -> bool:
        """Whether all values are within limits; raises TypeError or ArithmeticError if one is of
        another type, or the slope is 0.
        """
        scores = (*self.known_scores, *self.foreign_scores, self.threshold)
        counts = (self.known, self.foreign, self.passages)
        return (
            math.isfinite(self.slope)
            and math.isfinite(self.intercept)
            and all(LOWEST_SCORE <= score <= HIGHEST_SCORE for score in scores)
            and max(len(self.known_scores), len(self.foreign_scores)) <= MOST_SCORES
            and all(isinstance(count, int) and count >= 0 for count in counts)
        )


def fit(known: Scores, foreign: Scores) -> tuple[float, float]:
    """Fit a logistic curve to two sets of scores; returns slope and intercept.

    Platt, "Probabilistic outputs for support vector machines", 1999, with his targets, which are
    not quite 0 and 1, so that the slope stays finite even if the sets don't overlap. Each set
    weighs one half, whatever its size.

    Parameters
    ----------
    known
        Scores of queries that are answered.
    foreign
        Scores of out-of-domain queries. The highest tenth is left out.

    Raises
    ------
    InputError
        If either has fewer than two scores, or any is not finite.
    """
    if min(len(known), len(foreign)) < 2 or not np.isfinite([*known, *foreign]).all():  # noqa: PLR2004
        raise InputError("a calibration needs two finite scores or more of each kind of question")
    kept = np.sort(foreign)[: max(2, round(FOREIGN_KEPT * len(foreign)))]
    scores = np.concatenate([known, kept])
    is_known = np.arange(len(scores)) < len(known)
    targets = np.where(is_known, (len(known) + 1) / (len(known) + 2), 1 / (len(kept) + 2))
    weights = np.where(is_known, 0.5 / len(known), 0.5 / len(kept))
    return _newton(scores, targets, weights)


def as_stored(scores: Scores) -> tuple[float, ...]:
    """Scores as stored: ascending, rounded to four digits."""
    return tuple(np.sort(scores).round(4).tolist())


def is_useful(known: Scores, foreign: Scores) -> bool:
    """Whether scores separate the two kinds of queries: half of the answered ones score higher than
    three quarters of the others.

    They don't if the library covers everything, and answers the out-of-domain queries, too.
    """
    return bool(np.quantile(known, 0.5) > np.quantile(foreign, 0.75))


@dataclass(frozen=True, slots=True)
class Bin:
    """Queries with similar confidence.

    ``confidence`` is their mean confidence and ``share`` the share of them that are answered, each
    kind of query weighing one half; ``low`` and ``high`` are its 95 % confidence interval. All are
    in [0, 1]. ``known`` and ``foreign`` are the numbers of queries.
    """

    confidence: float
    share: float
    low: float
    high: float
    known: int
    foreign: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """Cross-validated outcome for queries whose answer is known.

    ``recognised`` is how many of the ``known`` queries count as answered, ``refused`` how many of
    the ``foreign`` ones don't. ``bins`` are in ascending order of confidence, without empty ones
    and without the tenth of the out-of-domain queries that is left out of the fit.
    """

    known: int
    recognised: int
    foreign: int
    refused: int
    bins: tuple[Bin, ...]


def reliability(calibration: Calibration) -> Reliability | None:
    """Whether about 80 % of the queries with 80 % confidence are answered, and so on; None if the
    calibration has too few scores.
    """
    known = np.array(calibration.known_scores)
    foreign = np.array(calibration.foreign_scores)
    if min(len(known), len(foreign)) < 2 * FOLDS:
        return None
    sure, doubtful = held_out(known, foreign)
    counting = round(FOREIGN_KEPT * len(foreign))
    return Reliability(
        known=len(known),
        recognised=int((sure >= ANSWERED).sum()),
        foreign=len(foreign),
        refused=int((doubtful < ANSWERED).sum()),
        bins=binned(sure, doubtful[:counting]),
    )


def held_out(known: Scores, foreign: Scores) -> tuple[Scores, Scores]:
    """Confidence of each query from a curve fitted without it, in the same order.

    Parameters
    ----------
    known, foreign
        Scores, ascending, at least twenty of each kind. Every tenth one is in the same fold.
    """
    found = np.zeros(len(known)), np.zeros(len(foreign))
    for fold in range(FOLDS):
        out = [np.arange(len(scores)) % FOLDS == fold for scores in (known, foreign)]
        curve = Calibration(*fit(known[~out[0]], foreign[~out[1]]))
        for scores, mine, confidences in zip((known, foreign), out, found, strict=True):
            confidences[mine] = [curve.confidence(score) for score in scores[mine]]
    return found


def binned(known: Scores, foreign: Scores, bins: int = BINS) -> tuple[Bin, ...]:
    """Bin the confidences of answered and out-of-domain queries, in ascending order.

    The numbers of the two kinds may differ; each weighs one half in the share, as in the curve: the
    odds are those of the counts, times the ratio of the totals. The interval is Wilson's ("Probable
    inference", 1927), reweighted in the same way.
    """
    ratio = len(foreign) / len(known)
    of_known, of_foreign = _range(known, bins), _range(foreign, bins)
    found = []
    for number in range(bins):
        mine, other = known[of_known == number], foreign[of_foreign == number]
        total = len(mine) + len(other)
        if not total:
            continue
        weight = ratio * len(mine) + len(other)
        low, high = _interval(len(mine), total)
        found.append(
            Bin(
                confidence=float((ratio * mine.sum() + other.sum()) / weight),
                share=ratio * len(mine) / weight,
                low=_weighed(low, ratio),
                high=_weighed(high, ratio),
                known=len(mine),
                foreign=len(other),
            )
        )
    return tuple(found)


def _range(confidences: Scores, bins: int) -> NDArray[np.int64]:
    """Index of the bin of each confidence; 1 belongs to the last."""
    return np.minimum((confidences * bins).astype(np.int64), bins - 1)


def _weighed(share: float, ratio: float) -> float:
    return ratio * share / (ratio * share + 1.0 - share)


def _interval(part: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval for a proportion."""
    share, squared = part / total, _WILSON_Z**2
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    spread = share * (1 - share) / total + squared / (4 * total**2)
    half = _WILSON_Z * math.sqrt(spread) / (1 + squared / total)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _newton(scores: Scores, targets: Scores, weights: Scores) -> tuple[float, float]:
    """Minimize the weighted cross-entropy by Newton's method with step halving.

    Scores are standardized first, which decorrelates slope and intercept.
    """
    middle, width = float(scores.mean()), max(float(scores.std()), 1e-9)
    rows = np.stack([(scores - middle) / width, np.ones(len(scores))], axis=1)

    def loss(values: Scores) -> float:
        margins = rows @ values
        return float(weights @ (np.logaddexp(0.0, margins) - targets * margins))

    values = np.zeros(2)
    for _ in range(_STEPS):
        probabilities = 0.5 + 0.5 * np.tanh(0.5 * (rows @ values))
        gradient = rows.T @ (weights * (probabilities - targets))
        curvature = (rows.T * (weights * probabilities * (1.0 - probabilities))) @ rows
        step = np.linalg.solve(curvature + 1e-12 * np.eye(2), gradient)
        before = loss(values)
        while loss(values - step) > before and np.abs(step).max() > _SETTLED:
            step = step / 2.0
        values = values - step
        if np.abs(step).max() < _SETTLED:
            break
    slope = float(values[0]) / width
    return slope, float(values[1]) - slope * middle
