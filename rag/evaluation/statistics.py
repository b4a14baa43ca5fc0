"""How sure a figure is: bootstrap intervals, and a test of two settings on the same questions.

Everything is drawn from a generator with a fixed seed, so a figure is the same on every run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.types.arrays import Scores

RESAMPLES = 5_000
SEED = 20_240_713
CONFIDENCE = 0.95
DRAWN_TOGETHER = 2_000_000
"""Numbers that are drawn at once: enough that numpy is quick, little enough for any memory."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over ``questions`` questions, and the interval in which it lies at 95 %."""

    mean: float
    low: float
    high: float
    questions: int


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much the mean of one setting is above that of another, on the same questions.

    ``low`` and ``high`` bound it at 95 %. ``p`` is how often a difference as large would come by
    chance if there were none.
    """

    mean: float
    low: float
    high: float
    p: float
    questions: int


def estimate(values: Scores) -> Estimate:
    """The mean of values, with its percentile bootstrap interval.

    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

    Parameters
    ----------
    values
        One a question, at least one.
    """
    low, high = _interval(values)
    return Estimate(float(values.mean()), low, high, len(values))


def compare(ours: Scores, theirs: Scores) -> Difference:
    """The mean of ``ours - theirs``: bootstrap interval, and two-sided randomization test.

    Under the null hypothesis each difference could as well have the other sign; p is the share
    of sign assignments whose mean is as far from 0, the observed one counted among them.

    Smucker, Allan and Carterette, "A comparison of statistical significance tests for information
    retrieval evaluation", CIKM 2007.

    Parameters
    ----------
    ours, theirs
        Values of the same questions in the same order, at least one.
    """
    differences = ours - theirs
    low, high = _interval(differences)
    return Difference(
        float(differences.mean()), low, high, _randomization(differences), len(differences)
    )


def _interval(values: Scores) -> tuple[float, float]:
    generator = np.random.default_rng(SEED)
    count = len(values)
    means = [
        values[generator.integers(count, size=(rows, count))].mean(axis=1)
        for rows in _batches(count)
    ]
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.quantile(np.concatenate(means), [tail, 1.0 - tail])
    return float(low), float(high)


def _randomization(differences: Scores) -> float:
    # A difference of 0 is the same with either sign.
    unequal: NDArray[np.float64] = differences[differences != 0.0]
    if not len(unequal):
        return 1.0
    generator = np.random.default_rng(SEED)
    # Rounding must not decide between assignments that come to the same.
    observed = abs(unequal.sum()) * (1.0 - 1e-12)
    as_far = 0
    for rows in _batches(len(unequal)):
        signs = generator.integers(2, size=(rows, len(unequal)), dtype=np.int8) * 2 - 1
        as_far += int((np.abs(signs @ unequal) >= observed).sum())
    return (as_far + 1) / (RESAMPLES + 1)


def _batches(count: int) -> Iterator[int]:
    """How many resamples of ``count`` values are drawn together, all of them in the end."""
    most = max(1, DRAWN_TOGETHER // count)
    for begun in range(0, RESAMPLES, most):
        yield min(most, RESAMPLES - begun)
