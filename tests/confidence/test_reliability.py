"""How far a calibration can be trusted: bins by hand, curves laid without what they judge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rag.confidence import calibration
from rag.confidence.calibration import (
    Calibration,
    as_stored,
    binned,
    fit,
    held_out,
    reliability,
)


def calibrated(known: np.ndarray, foreign: np.ndarray) -> Calibration:
    """The calibration through these scores, as a library keeps it."""
    counts = len(known), len(foreign)
    return Calibration(*fit(known, foreign), *counts, 1, "", as_stored(known), as_stored(foreign))


def test_bins_by_hand() -> None:
    """Two ranges. Of 4 known and 2 foreign questions each foreign one weighs double, so that of
    three known and one foreign the share is 3 / (3 + 2).
    """
    known, foreign = np.array([0.2, 0.6, 0.8, 1.0]), np.array([0.1, 0.5])
    low, high = binned(known, foreign, bins=2)
    assert (low.known, low.foreign, high.known, high.foreign) == (1, 1, 3, 1)
    assert low.share == pytest.approx(1 / 3)
    assert low.confidence == pytest.approx((0.2 + 2 * 0.1) / 3)
    assert high.share == pytest.approx(3 / 5)
    assert high.confidence == pytest.approx((0.6 + 0.8 + 1.0 + 2 * 0.5) / 5)


def test_interval_by_hand() -> None:
    """Wilson's interval for 5 of 10 at 95 %, as tables have it: .2366 to .7634; kinds of equal
    size leave it where it is. Nothing of 5 is at most .4345.
    """
    (half,) = binned(np.full(5, 0.5), np.full(5, 0.5), bins=1)
    assert (half.low, half.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    low, high = binned(np.full(5, 0.9), np.full(5, 0.1), bins=2)
    assert (low.low, low.high) == pytest.approx((0.0, 0.4345), abs=1e-4)
    assert (high.low, high.high) == pytest.approx((0.5655, 1.0), abs=1e-4)


def test_every_confidence_is_by_a_curve_without_it() -> None:
    """A question that moves the curve by much moves its own confidence only through its score."""
    draw = np.random.default_rng(3)
    known, foreign = np.sort(draw.normal(0.6, 0.1, 40)), np.sort(draw.normal(0.4, 0.1, 40))
    sure, doubtful = held_out(known, foreign)
    for place in (0, 17, 39):
        others = np.arange(40) % 10 != place % 10
        curve = Calibration(*fit(known[others], foreign[others]))
        assert sure[place] == pytest.approx(curve.confidence(known[place]))
        assert doubtful[place] == pytest.approx(curve.confidence(foreign[place]))


def test_kinds_apart_are_all_told() -> None:
    """Without overlap everything is recognised and everything refused; the bins lie at the ends
    and leave the highest tenth of the foreign questions out.
    """
    found = reliability(calibrated(np.linspace(0.6, 0.8, 100), np.linspace(0.2, 0.4, 50)))
    assert found is not None
    assert (found.known, found.recognised, found.foreign, found.refused) == (100, 100, 50, 50)
    assert sum(one.known for one in found.bins) == 100
    assert sum(one.foreign for one in found.bins) == 45
    assert (found.bins[0].share, found.bins[-1].share) == (0.0, 1.0)


def test_a_true_curve_is_reliable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many questions drawn by a curve, as many are answered as the confidence says; by a curve
    that is too steep, too few where it is sure.
    """
    monkeypatch.setattr(calibration, "FOREIGN_KEPT", 1.0)
    draw = np.random.default_rng(11)
    scores = draw.uniform(0.0, 1.0, 20_000)
    is_known = draw.uniform(size=len(scores)) < 1 / (1 + np.exp(-(10 * scores - 5)))
    known, foreign = np.sort(scores[is_known]), np.sort(scores[~is_known])
    bins = binned(*held_out(known, foreign))
    assert len(bins) == 5
    for one in bins:
        assert one.low < one.share < one.high
        assert one.confidence == pytest.approx(one.share, abs=0.03)
    steep = Calibration(30.0, -15.0)
    sure = [np.array([steep.confidence(score) for score in kind]) for kind in (known, foreign)]
    assert binned(*sure)[-1].high + 0.03 < binned(*sure)[-1].confidence


def test_too_few_scores_say_nothing() -> None:
    """One that was brought along, or has no scores, can't be judged."""
    whole = calibrated(np.linspace(0.6, 0.8, 20), np.linspace(0.2, 0.4, 20))
    assert reliability(whole)
    assert reliability(replace(whole, known_scores=())) is None
    assert reliability(Calibration(42.0, -16.3)) is None
