"""Slips of spelling, by hand and against a distance worked out the slow way."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.spelling import correct, is_plain_slip, nearest, slips_allowed
from rag.types import Respelling

words = st.text("abc", min_size=4, max_size=9)


@cache
def slow(a: str, b: str) -> int:
    """Optimal string alignment straight from its recursive definition."""
    if not a or not b:
        return len(a) + len(b)
    best = min(slow(a[:-1], b) + 1, slow(a, b[:-1]) + 1, slow(a[:-1], b[:-1]) + (a[-1] != b[-1]))
    if a[-2:] == b[-2:][::-1] and len(a) > 1 and len(b) > 1:
        best = min(best, slow(a[:-2], b[:-2]) + 1)
    return best


@given(words, words)
def test_a_word_is_near_by_the_definition(asked: str, known: str) -> None:
    """Letters added, dropped, changed, or swapped with the next, and not too many of them."""
    near = slow(asked, known) <= slips_allowed(asked)
    assert nearest(asked, [(known, 1)]) == (known if near else None)


@pytest.mark.parametrize(
    ("asked", "known", "count"),
    [("zuckerbrg", "zuckerberg", 1), ("form", "from", 1), ("cannot", "anbcnot", 3)],
)
def test_slips_by_hand(asked: str, known: str, count: int) -> None:
    """“ca” is three from “abc”: what was swapped can't be edited again."""
    assert slow(asked, known) == count
    near = count <= slips_allowed(asked)
    assert nearest(asked, [(known, 1)]) == (known if near else None)


def test_slips_allowed() -> None:
    """None in short words and in numbers, one up to seven letters, then two."""
    assert [slips_allowed(word) for word in ("abc", "abcd", "abcdefg", "abcdefgh", "abcde1")] == [
        *(0, 1, 1, 2, 0)
    ]


def test_nearest() -> None:
    """The fewest slips, then the most frequent, then by the alphabet; too far is nothing."""
    assert nearest("jonson", [("johnson", 2), ("jonsons", 9), ("jonas", 99)]) == "jonsons"
    assert nearest("zukerbrg", [("zuckerberg", 1), ("zukerbra", 1)]) == "zukerbra"
    assert nearest("jonson", [("jonsona", 1), ("ionson", 1)]) == "ionson"
    assert nearest("jonson", [("johnsen", 1)]) is None
    assert nearest("jonson", []) is None


@pytest.mark.parametrize(
    ("asked", "found", "plain"),
    [
        ("Zetterstorm", "zetterstrom", True),
        ("Zuckerbrg", "zuckerberg", True),
        ("Zuckerrberg", "zuckerberg", True),
        ("Lorie", "loire", False),
        ("Ivanov", "ivanova", False),
        ("Vinogradov", "vinogradova", False),
        ("Сидорова", "сидоров", False),
        ("Zorawor", "zorawar", True),
        ("Henderson", "sanderson", False),
    ],
)
def test_plain_slips(asked: str, found: str, *, plain: bool) -> None:
    """Inside a long word; the rest may be another name."""
    assert is_plain_slip(asked, found) is plain


def test_respelled() -> None:
    """Whole words only, wherever they stand."""
    instead = [Respelling("Englnad", "england")]
    assert correct("Englnad's, Englnads (Englnad)", instead) == "england's, Englnads (england)"
    assert correct("a.b", []) == "a.b"
