"""Aggregate judged queries into a report, and compare two modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from rag.evaluation.relevance import Judged
from rag.evaluation.statistics import Difference, Estimate, compare, estimate


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one mode: every metric over the queries that are labelled for it.

    ``seconds`` is the median latency of a search for ten hits.
    """

    mode: str
    estimates: Mapping[str, Estimate]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one run.

    ``results`` has one or two modes; with two, ``differences`` has the improvement of the first
    over the second.
    """

    set: str
    questions: int
    unlabelled: int
    documents: int
    passages: int
    model: str
    version: str
    results: tuple[Result, ...]
    differences: Mapping[str, Difference]

    def as_json(self) -> dict[str, object]:
        """Convert the report to JSON values."""
        return asdict(self)


def result(mode: str, judged: Sequence[Judged]) -> Result:
    """Aggregate one mode; at least one query is required."""
    return Result(
        mode=mode,
        estimates={
            name: estimate(np.array([one.values[name] for one in judged if name in one.values]))
            for name in _names(judged)
        },
        seconds=median(one.answered.seconds for one in judged),
    )


def differences(ours: Sequence[Judged], theirs: Sequence[Judged]) -> dict[str, Difference]:
    """Compare two modes on the same queries, in the same order."""
    found = {}
    for name in _names(ours):
        pairs = [
            (one.values[name], other.values[name])
            for one, other in zip(ours, theirs, strict=True)
            if name in one.values
        ]
        values = np.array(pairs)
        found[name] = compare(values[:, 0], values[:, 1])
    return found


def _names(judged: Sequence[Judged]) -> list[str]:
    """The names of the metrics, in order of first occurrence."""
    return list(dict.fromkeys(name for one in judged for name in one.values))
