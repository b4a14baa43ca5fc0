"""What a score means in this library: how probable it is that a question is answered there. Pure.

Questions that the library must be able to answer are made from its own sentences
(:mod:`rag.confidence.synthetic_queries`), and questions that it can't are brought along
(:mod:`rag.confidence.out_of_domain`). Both are asked, and a logistic curve is laid through the
scores of their first hits. No one labels anything, and no language model is asked.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from rag.errors import InputError
from rag.types.arrays import Scores

FOREIGN_KEPT = 0.9
"""Share of the foreign questions that count, those with the lowest scores: what this library is
about may be among their subjects, and then some of them are answered."""

ANSWERED = 0.5
"""The confidence from which on a question counts as answered."""

_STEPS = 100
_SETTLED = 1e-10


@dataclass(frozen=True, slots=True)
class Calibration:
    """A curve from scores to probabilities, ``1 / (1 + exp(-(slope · score + intercept)))``.

    ``known`` and ``foreign`` are the numbers of questions it was measured with, both 0 where it
    was brought along. ``passages`` is how many the library had then. ``scoring`` names the way in
    which the scores come about: another way needs another curve. ``known_scores`` and
    ``foreign_scores`` are those of the questions, ascending and to four digits: what the curve was
    laid through, to be looked at.
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
        """Whether it is of the library itself, and not brought along."""
        return self.known > 0

    def confidence(self, score: float) -> float:
        """The probability, in [0, 1], that a question whose first hit has this score is answered.

        Before anything is known of a question, it is as likely to be answered as not.
        """
        return float(0.5 + 0.5 * np.tanh(0.5 * (self.slope * score + self.intercept)))

    @property
    def threshold(self) -> float:
        """The score at which a question counts as answered."""
        return -self.intercept / self.slope

    def fits(self, passages: int, scoring: str) -> bool:
        """Whether it still holds: the scores come about in the same way, and the library is
        about as large.
        """
        close = 4 * abs(passages - self.passages) <= self.passages
        return self.scoring == scoring and close

    def as_json(self) -> str:
        """As text, to be kept."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """From what :meth:`as_json` gave.

        Raises
        ------
        ValueError, TypeError
            If the text is something else, or was kept by a version with other fields.
        """
        fields = dict(json.loads(text))
        for name in ("known_scores", "foreign_scores"):
            fields[name] = tuple(map(float, fields.get(name, ())))
        return cls(**fields)


def fit(known: Scores, foreign: Scores) -> tuple[float, float]:
    """Slope and intercept of the logistic curve through two sets of scores.

    Platt, "Probabilistic outputs for support vector machines", 1999, with his targets, which are
    not quite 0 and 1, so that sets without any overlap give no infinite slope. Each set weighs
    one half, whatever its size.

    Parameters
    ----------
    known
        Scores of questions that are answered.
    foreign
        Scores of questions that are not. The highest tenth is left out.

    Raises
    ------
    InputError
        If there are fewer than two scores of either, or any is no finite number.
    """
    if min(len(known), len(foreign)) < 2 or not np.isfinite([*known, *foreign]).all():  # noqa: PLR2004
        raise InputError("a calibration needs two finite scores or more of each kind of question")
    kept = np.sort(foreign)[: max(2, round(FOREIGN_KEPT * len(foreign)))]
    scores = np.concatenate([known, kept])
    is_known = np.arange(len(scores)) < len(known)
    targets = np.where(is_known, (len(known) + 1) / (len(known) + 2), 1 / (len(kept) + 2))
    weights = np.where(is_known, 0.5 / len(known), 0.5 / len(kept))
    return _newton(scores, targets, weights)


def as_kept(scores: Scores) -> tuple[float, ...]:
    """Scores as a calibration keeps them: ascending, to four digits."""
    return tuple(np.sort(scores).round(4).tolist())


def is_useful(known: Scores, foreign: Scores) -> bool:
    """Whether the scores tell the two kinds of questions apart at all: half of the answered ones
    score higher than three quarters of the others.

    They don't where the library is about everything, and answers the foreign questions, too.
    """
    return bool(np.quantile(known, 0.5) > np.quantile(foreign, 0.75))


def _newton(scores: Scores, targets: Scores, weights: Scores) -> tuple[float, float]:
    """The least weighted cross-entropy, by Newton's method with steps halved where they overshoot.

    Scores are centred and scaled meanwhile, which keeps the two unknowns apart.
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
