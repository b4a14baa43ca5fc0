"""Metrics of one query, and their mean over queries. The only module that knows ir-measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.types.arrays import Scores

DEPTH = 100
"""Cutoff of a ranking."""

SEED = 20_240_713
"""All random draws use it, so results are reproducible."""


def document_metrics(gains: Mapping[str, int], ranking: Sequence[str]) -> dict[str, float]:
    """Evaluate the ranking of documents for a query.

    Parameters
    ----------
    gains
        The gain of each judged document, at least one of them positive. Unjudged documents count as
        not relevant.
    ranking
        Documents, best first, without duplicates; cut off at ``DEPTH``.

    Returns
    -------
    dict
        Metrics by name, all in [0, 1]: nDCG@10 (with linear gain, as in trec_eval and BEIR),
        MRR@10, recall@1, @5, @10 and @100, and MAP.
    """
    import ir_measures
    from ir_measures import AP, RR, R, nDCG

    names = {
        nDCG @ 10: "nDCG@10",
        RR @ 10: "MRR@10",
        R @ 1: "recall@1",
        R @ 5: "recall@5",
        R @ 10: "recall@10",
        R @ 100: "recall@100",
        AP: "MAP",
    }
    # Scores strictly decrease with rank: ties would be broken by document id.
    run = {one: -float(rank) for rank, one in enumerate(ranking[:DEPTH])}
    values = dict.fromkeys(names.values(), 0.0)  # a query without results has none
    for found in ir_measures.iter_calc(list(names), {"": dict(gains)}, {"": run}):
        values[names[found.measure]] = float(found.value)
    return values


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over ``questions`` queries, with its 95 % confidence interval."""

    mean: float
    low: float
    high: float
    questions: int


def estimate(values: Scores) -> Estimate:
    """The mean, with its percentile bootstrap interval.

    Efron and Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

    Parameters
    ----------
    values
        One value per query, at least one; shape (queries,).
    """
    generator, count = np.random.default_rng(SEED), len(values)
    # 5,000 resamples, fifty at a time, so that those of a large set fit in memory.
    means = [values[generator.integers(count, size=(50, count))].mean(axis=1) for _ in range(100)]
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975])
    return Estimate(float(values.mean()), float(low), float(high), count)
