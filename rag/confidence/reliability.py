"""Reliability of a calibration: are 80 % of the queries with 80 % confidence answered? Pure.

A curve is too good on the queries it was fitted to, so this uses tenfold cross-validation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.confidence.calibration import ANSWERED, FOREIGN_KEPT, Calibration, fit
from rag.types.arrays import Scores

BINS = 5
"""Number of equal-width bins of confidence. Most queries are at the ends; with more bins, the
middle ones would have only one or two queries each."""

HANDS = 10

_FEWEST = 2 * HANDS
_SIDES = 1.96


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
    """Reliability of a calibration; None if it has too few scores."""
    known = np.array(calibration.known_scores)
    foreign = np.array(calibration.foreign_scores)
    if min(len(known), len(foreign)) < _FEWEST:
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
    for hand in range(HANDS):
        out = [np.arange(len(scores)) % HANDS == hand for scores in (known, foreign)]
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
    share, squared = part / total, _SIDES**2
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    spread = share * (1 - share) / total + squared / (4 * total**2)
    half = _SIDES * math.sqrt(spread) / (1 + squared / total)
    return max(middle - half, 0.0), min(middle + half, 1.0)
