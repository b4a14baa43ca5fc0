"""Intervals and tests on cases whose answer is known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rag.evaluation.statistics import compare, estimate


def test_interval_of_a_share_is_that_of_the_normal_distribution() -> None:
    """300 of 400: .75 ± 1.96 · sqrt(.75 · .25 / 400), as every textbook has it."""
    found = estimate(np.array([1.0] * 300 + [0.0] * 100))
    half = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert found.mean == 0.75
    assert found.low == pytest.approx(0.75 - half, abs=0.005)
    assert found.high == pytest.approx(0.75 + half, abs=0.005)
    assert found.questions == 400


def test_interval_of_equal_values_is_a_point() -> None:
    """Whatever is drawn, the mean is the same."""
    found = estimate(np.full(7, 0.5))
    assert (found.low, found.mean, found.high) == (0.5, 0.5, 0.5)


def test_same_figures_on_every_run() -> None:
    """The seed is fixed."""
    values = np.random.default_rng(1).random(50)
    assert estimate(values) == estimate(values)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 samples from a distribution of mean .5, about 190 intervals hold it."""
    generator = np.random.default_rng(7)
    found = [estimate(generator.random(60)) for _ in range(200)]
    held = sum(one.low <= 0.5 <= one.high for one in found)
    assert 180 <= held <= 198


def test_p_value_equals_all_assignments_of_signs() -> None:
    """Of the 2^8 ways to put signs, count those whose sum is as far from 0."""
    ours = np.array([0.9, 0.4, 0.8, 0.6, 1.0, 0.3, 0.7, 0.55])
    theirs = np.array([0.5, 0.5, 0.3, 0.6, 0.2, 0.2, 0.9, 0.4])
    differences = ours - theirs
    sums = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=8)]
    exact = np.mean([one >= abs(differences.sum()) - 1e-9 for one in sums])
    found = compare(ours, theirs)
    assert found.p == pytest.approx(exact, abs=0.02)
    assert found.mean == pytest.approx(differences.mean())


def test_equal_settings_do_not_differ() -> None:
    """Nothing is as likely as no difference where there is none."""
    values = np.array([0.0, 1.0, 0.5])
    found = compare(values, values)
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_clear_difference_is_found() -> None:
    """Better by .1 on each of 40 questions: the interval is that point, and p the least."""
    theirs = np.linspace(0.1, 0.8, 40)
    found = compare(theirs + 0.1, theirs)
    assert (found.low, found.high) == (pytest.approx(0.1), pytest.approx(0.1))
    assert found.p < 0.001


def test_sides_can_be_swapped() -> None:
    """The difference turns round, and p stays."""
    generator = np.random.default_rng(3)
    ours, theirs = generator.random(30), generator.random(30)
    forth, back = compare(ours, theirs), compare(theirs, ours)
    assert forth.mean == pytest.approx(-back.mean)
    assert (forth.low, forth.high) == (pytest.approx(-back.high), pytest.approx(-back.low))
    assert forth.p == back.p


def test_chance_is_not_taken_for_a_difference() -> None:
    """Two settings that differ by chance alone: p is below .05 in about a twentieth of cases."""
    generator = np.random.default_rng(11)
    found = [compare(generator.random(25), generator.random(25)).p for _ in range(200)]
    assert 2 <= sum(one < 0.05 for one in found) <= 20
