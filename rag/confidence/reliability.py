"""Whether a calibration keeps its promise: of what it calls 80 % sure, are 80 % answered? Pure.

A curve flatters the questions that it was laid through. So these are dealt into ten hands, and
each gets its confidence from a curve through the other nine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.confidence.calibration import ANSWERED, FOREIGN_KEPT, Calibration, fit
from rag.types.arrays import Scores

BINS = 5
"""Into so many equal ranges is the confidence cut. Most questions lie at its ends, and with more
ranges those between them would hold one or two each."""

HANDS = 10

_FEWEST = 2 * HANDS
_SIDES = 1.96


@dataclass(frozen=True, slots=True)
class Bin:
    """Questions with about the same confidence.

    ``confidence`` is their mean one and ``share`` how many of them are answered, both kinds of
    questions weighing one half; the share lies between ``low`` and ``high`` at 95 %. All are in
    [0, 1]. ``known`` and ``foreign`` are the numbers of questions.
    """

    confidence: float
    share: float
    low: float
    high: float
    known: int
    foreign: int


@dataclass(frozen=True, slots=True)
class Reliability:
    """What becomes of questions whose answer is known when their own scores were not looked at.

    ``recognised`` is how many of the ``known`` questions, which the library answers, it takes for
    answered; ``refused`` how many of the ``foreign`` ones it does not. ``bins`` go up by
    confidence and leave empty ones out, and so does the tenth of the foreign questions that no
    curve is laid through.
    """

    known: int
    recognised: int
    foreign: int
    refused: int
    bins: tuple[Bin, ...]


def reliability(calibration: Calibration) -> Reliability | None:
    """How far the calibration can be trusted; None where it kept too few scores to tell."""
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
    """The confidence of each question by a curve that was laid without it, in the same order.

    Parameters
    ----------
    known, foreign
        Scores, ascending, at least twenty of each kind. Every tenth one is of the same hand.
    """
    found = np.zeros(len(known)), np.zeros(len(foreign))
    for hand in range(HANDS):
        out = [np.arange(len(scores)) % HANDS == hand for scores in (known, foreign)]
        curve = Calibration(*fit(known[~out[0]], foreign[~out[1]]))
        for scores, mine, confidences in zip((known, foreign), out, found, strict=True):
            confidences[mine] = [curve.confidence(score) for score in scores[mine]]
    return found


def binned(known: Scores, foreign: Scores, bins: int = BINS) -> tuple[Bin, ...]:
    """Confidences of answered and of foreign questions in equal ranges, from the least up.

    There may be more questions of one kind than of the other. In the share both kinds weigh one
    half, as in the curve: the odds are those of the numbers, times the ratio of the totals. The
    interval is Wilson's ("Probable inference", 1927), moved in the same way.
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
    """The number of the range in which each lies; 1 lies in the last."""
    return np.minimum((confidences * bins).astype(np.int64), bins - 1)


def _weighed(share: float, ratio: float) -> float:
    return ratio * share / (ratio * share + 1.0 - share)


def _interval(part: int, total: int) -> tuple[float, float]:
    """Wilson's interval for a share, at 95 %."""
    share, squared = part / total, _SIDES**2
    middle = (share + squared / (2 * total)) / (1 + squared / total)
    spread = share * (1 - share) / total + squared / (4 * total**2)
    half = _SIDES * math.sqrt(spread) / (1 + squared / total)
    return max(middle - half, 0.0), min(middle + half, 1.0)
