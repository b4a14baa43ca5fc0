"""Overlap of gold and retrieved text, worked by hand and against sets of characters."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.evaluation.spans import Stretch, merged, overlap


def test_overlap_by_hand() -> None:
    """Gold 10-20 and 30-40; retrieved 0-15, 35-60 and 100 characters elsewhere.

    10 of 20 gold characters were retrieved, among 140; together they are 150 characters.
    """
    gold = [Stretch("a", 10, 20), Stretch("a", 30, 40)]
    found = [Stretch("a", 0, 15), Stretch("b", 0, 100), Stretch("a", 35, 60)]
    shares = overlap(gold, found)
    assert shares.recall == pytest.approx(10 / 20)
    assert shares.precision == pytest.approx(10 / 140)
    assert shares.iou == pytest.approx(10 / 150)


def test_what_is_retrieved_twice_counts_twice_against_it() -> None:
    """As in the report: gold 0-10, retrieved 0-10 and again 5-10."""
    shares = overlap([Stretch("a", 0, 10)], [Stretch("a", 0, 10), Stretch("a", 5, 10)])
    assert (shares.recall, shares.precision, shares.iou) == (1.0, 10 / 15, 10 / 15)


def test_gold_that_overlaps_counts_once() -> None:
    """Two answers that say the same, one with an article in front, are 8 characters."""
    shares = overlap([Stretch("a", 2, 10), Stretch("a", 5, 10)], [Stretch("a", 6, 10)])
    assert (shares.recall, shares.precision, shares.iou) == (0.5, 1.0, 0.5)


def test_nothing_retrieved() -> None:
    """Everything is 0, and nothing is divided by it."""
    shares = overlap([Stretch("a", 0, 10)], [])
    assert (shares.recall, shares.precision, shares.iou) == (0.0, 0.0, 0.0)


def test_holding() -> None:
    """Both ends count, and so does the document."""
    outer = Stretch("a", 5, 10)
    assert outer.holds(Stretch("a", 5, 10))
    assert not outer.holds(Stretch("a", 4, 10))
    assert not outer.holds(Stretch("a", 5, 11))
    assert not outer.holds(Stretch("b", 6, 7))


STRETCHES = st.lists(
    st.builds(
        lambda document, start, length: Stretch(document, start, start + length),
        st.sampled_from("ab"),
        st.integers(0, 30),
        st.integers(1, 12),
    ),
    max_size=6,
)


def characters(stretches: list[Stretch]) -> set[tuple[str, int]]:
    """Every character that the stretches cover, once."""
    return {(one.document, place) for one in stretches for place in range(one.start, one.end)}


@given(STRETCHES.filter(bool), STRETCHES)
def test_overlap_equals_counting(gold: list[Stretch], found: list[Stretch]) -> None:
    """Sets of single characters give the same shares."""
    shares = overlap(gold, found)
    both = len(characters(gold) & characters(found))
    taken = sum(one.end - one.start for one in found)
    missing = len(characters(gold) - characters(found))
    assert shares.recall == pytest.approx(both / len(characters(gold)))
    assert shares.precision == pytest.approx(both / taken if taken else 0.0)
    assert shares.iou == pytest.approx(both / (taken + missing))


@given(STRETCHES)
def test_merged_stretches_are_apart(stretches: list[Stretch]) -> None:
    """The same characters, and a gap between any two in one document."""
    found = merged(stretches)
    assert characters(found) == characters(stretches)
    for one, other in pairwise(found):
        assert one.document < other.document or one.end < other.start
