"""Measures of rankings, worked by hand and against their definitions in plain Python."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.metrics import DEPTH, document_metrics, estimate


def test_by_hand() -> None:
    """Of the right documents a (gain 2) and b (gain 1), b is second and a is fourth.

    DCG = 1/log2(3) + 2/log2(5), the best is 2/log2(2) + 1/log2(3). The first right one is
    second. Precision is 1/2 at b and 2/4 at a.
    """
    found = document_metrics({"a": 2, "b": 1, "c": 0}, ["x", "b", "c", "a"])
    gained, best = 1 / log2(3) + 2 / log2(5), 2 + 1 / log2(3)
    assert found["nDCG@10"] == pytest.approx(gained / best)
    assert found["MRR@10"] == pytest.approx(1 / 2)
    assert [found[f"recall@{k}"] for k in (1, 5, 10, 100)] == [0.0, 1.0, 1.0, 1.0]
    assert found["MAP"] == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_right_one_beyond_a_cut() -> None:
    """At rank 11 it counts for the recall at 100 and for MAP; at rank 101 for nothing, like one
    that was not found.
    """
    names = [f"x{number}" for number in range(DEPTH)]
    eleventh = document_metrics({"a": 1}, [*names[:10], "a"])
    assert (eleventh["nDCG@10"], eleventh["MRR@10"], eleventh["recall@10"]) == (0.0, 0.0, 0.0)
    assert (eleventh["recall@100"], eleventh["MAP"]) == (1.0, pytest.approx(1 / 11))
    beyond = document_metrics({"a": 1}, [*names, "a"])
    assert set(beyond.values()) == set(document_metrics({"a": 1}, []).values()) == {0.0}


@given(
    st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(0, 3), min_size=1).filter(
        lambda gains: any(gains.values())
    ),
    st.permutations("abcdefghijklmnop"),
)
def test_equals_the_definitions(gains: dict[str, int], ranking: list[str]) -> None:
    """Plain loops over the ranks give the same."""
    found = document_metrics(gains, ranking)
    row = [gains.get(name, 0) for name in ranking]
    right = sum(gain > 0 for gain in gains.values())

    def dcg(of: list[int]) -> float:
        return sum(gain / log2(rank + 1) for rank, gain in enumerate(of[:10], 1))

    ranks = [rank for rank, gain in enumerate(row, 1) if gain > 0]
    assert found["nDCG@10"] == pytest.approx(dcg(row) / dcg(sorted(gains.values(), reverse=True)))
    assert found["MRR@10"] == pytest.approx(1 / ranks[0] if ranks[0] <= 10 else 0.0)
    for k in (1, 5, 10, 100):
        assert found[f"recall@{k}"] == pytest.approx(sum(rank <= k for rank in ranks) / right)
    precisions = [number / rank for number, rank in enumerate(ranks, 1)]
    assert found["MAP"] == pytest.approx(sum(precisions) / right)


def test_interval_of_a_share_is_that_of_the_normal_distribution() -> None:
    """300 of 400: .75 ± 1.96 · sqrt(.75 · .25 / 400), as every textbook has it."""
    found = estimate(np.array([1.0] * 300 + [0.0] * 100))
    half = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert found.mean == 0.75
    assert found.low == pytest.approx(0.75 - half, abs=0.005)
    assert found.high == pytest.approx(0.75 + half, abs=0.005)
    assert found.questions == 400


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 samples from a distribution of mean .5, about 190 intervals hold it."""
    generator = np.random.default_rng(7)
    found = [estimate(generator.random(60)) for _ in range(200)]
    held = sum(one.low <= 0.5 <= one.high for one in found)
    assert 180 <= held <= 198
