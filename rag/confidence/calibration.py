"""Calibration: from a top hit's score to the probability that the query is answered; pure.

Synthetic queries, which the library must be able to answer, are made from its own sentences
(:mod:`rag.confidence.synthetic_queries`); out-of-domain queries, which it can't, come with the
package (:mod:`rag.confidence.out_of_domain`). Both are run, and a logistic curve is fitted to the
scores of their top hits. It takes no labels and no language model.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from rag.errors import InputError
from rag.types.arrays import Scores

FOREIGN_KEPT = 0.9
"""Share of the out-of-domain queries used, those with the lowest scores: the library may cover some
of their subjects, and answer those."""

ANSWERED = 0.5
"""Minimum confidence for a query to count as answered."""

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
        return -self.intercept / self.slope

    def fits(self, passages: int, scoring: str) -> bool:
        """Whether it is still valid: same scoring, and a library of about the same size."""
        close = 4 * abs(passages - self.passages) <= self.passages
        return self.scoring == scoring and close

    def as_json(self) -> str:
        """Serialize as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Deserialize from :meth:`as_json`.

        Raises
        ------
        ValueError, TypeError
            If the text is invalid, or comes from a version with other fields.
        """
        fields = dict(json.loads(text))
        for name in ("known_scores", "foreign_scores"):
            fields[name] = tuple(map(float, fields.get(name, ())))
        return cls(**fields)


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
