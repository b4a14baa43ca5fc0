"""Judged questions → the figures of a run, and what is different between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from rag.evaluation.relevance import Judged
from rag.evaluation.statistics import Difference, Estimate, compare, estimate


@dataclass(frozen=True, slots=True)
class Result:
    """What one mode reached: every measure over the questions that are labelled for it.

    ``seconds`` is the median time of a search for ten hits.
    """

    mode: str
    estimates: Mapping[str, Estimate]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run found out.

    ``results`` has one or two modes; where there are two, ``differences`` says by how much the
    first is above the second.
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
        """The report as plain values."""
        return asdict(self)


def result(mode: str, judged: Sequence[Judged]) -> Result:
    """The figures of one mode; there is at least one question."""
    return Result(
        mode=mode,
        estimates={
            name: estimate(np.array([one.values[name] for one in judged if name in one.values]))
            for name in _names(judged)
        },
        seconds=median(one.answered.seconds for one in judged),
    )


def differences(ours: Sequence[Judged], theirs: Sequence[Judged]) -> dict[str, Difference]:
    """How far one mode is above another, from the same questions in the same order."""
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
    """The measures, in the order in which they are made."""
    return list(dict.fromkeys(name for one in judged for name in one.values))
