"""The nearest sentences among what may be found, against sorting all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.limits import Limits, nearest
from rag.vectors import FaissIndex

PASSAGES, SENTENCES = 400, 3


@pytest.fixture(scope="module")
def made() -> tuple[FaissIndex, np.ndarray]:
    """Three sentences each of 400 passages, in random directions."""
    rows = np.random.default_rng(1).normal(size=(PASSAGES, SENTENCES, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    index = FaissIndex.empty(16)
    for key, sentences in enumerate(rows):
        index.add(key, sentences)
    return index, rows


@settings(deadline=None, max_examples=60)
@given(
    direction=st.integers(0, PASSAGES - 1),
    count=st.integers(1, 50),
    excluded=st.integers(0, PASSAGES),
    listed=st.none() | st.integers(0, PASSAGES),
    among_near=st.booleans(),
)
def test_nearest_equals_sorting(
    made: tuple[FaissIndex, np.ndarray],
    *,
    direction: int,
    count: int,
    excluded: int,
    listed: int | None,
    among_near: bool,
) -> None:
    """Also when all that is near is excluded, and when nothing is left."""
    index, rows = made
    question = rows[direction, 0]
    cosines = rows @ question
    by_nearness = np.argsort(-cosines.max(axis=1))
    but = np.sort(by_nearness[:excluded])
    order = by_nearness if among_near else by_nearness[::-1]
    allowed = set(order[:listed].tolist())
    among = None if listed is None else [(key, SENTENCES) for key in sorted(allowed)]
    ranked = (np.argsort(-cosines.ravel(), kind="stable") // SENTENCES).tolist()
    expected = [key for key in ranked if key in allowed and key not in set(but.tolist())]
    found = nearest(index, question, count, Limits(among, but))
    assert found.tolist() == expected[:count]
