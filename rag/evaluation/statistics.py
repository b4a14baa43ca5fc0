"""Bootstrap confidence intervals, and a paired significance test.

All random draws use a fixed seed, so results are reproducible.
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
"""Random numbers drawn at once: enough for numpy to be fast, few enough to fit in memory."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over ``questions`` queries, with its 95 % confidence interval."""

    mean: float
    low: float
    high: float
    questions: int


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean difference between two modes on the same queries.

    ``low`` and ``high`` are its 95 % confidence interval. ``p`` is the probability of a difference
    at least as large by chance, under the null hypothesis of no difference.
    """

    mean: float
    low: float
    high: float
    p: float
    questions: int


def estimate(values: Scores) -> Estimate:
    """The mean, with its percentile bootstrap interval.

    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

    Parameters
    ----------
    values
        One value per query, at least one.
    """
    low, high = _interval(values)
    return Estimate(float(values.mean()), low, high, len(values))


def compare(ours: Scores, theirs: Scores) -> Difference:
    """The mean of ``ours - theirs``, with bootstrap interval and two-sided randomization test.

    Under the null hypothesis the sign of each difference is random; p is the share of sign
    assignments whose mean is at least as far from 0, counting the observed one.

    Smucker, Allan and Carterette, "A comparison of statistical significance tests for information
    retrieval evaluation", CIKM 2007.

    Parameters
    ----------
    ours, theirs
        Values of the same queries in the same order, at least one.
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
    # Differences of 0 are unaffected by the sign.
    unequal: NDArray[np.float64] = differences[differences != 0.0]
    if not len(unequal):
        return 1.0
    generator = np.random.default_rng(SEED)
    # Guard against rounding between assignments with equal means.
    observed = abs(unequal.sum()) * (1.0 - 1e-12)
    as_far = 0
    for rows in _batches(len(unequal)):
        signs = generator.integers(2, size=(rows, len(unequal)), dtype=np.int8) * 2 - 1
        as_far += int((np.abs(signs @ unequal) >= observed).sum())
    return (as_far + 1) / (RESAMPLES + 1)


def _batches(count: int) -> Iterator[int]:
    """Split ``count`` resamples into batches that fit in memory."""
    most = max(1, DRAWN_TOGETHER // count)
    for begun in range(0, RESAMPLES, most):
        yield min(most, RESAMPLES - begun)
