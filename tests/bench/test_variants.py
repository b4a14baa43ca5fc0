"""Searches without a part of the ranking."""

from __future__ import annotations

import numpy as np
import pytest
from three_articles import QUESTIONS
from variants import VARIANTS, Variant, mean_vector, searches

from rag import Library
from rag.evaluation.labelled_sets import Question


def test_default_is_what_a_library_does(seeds: Library) -> None:
    """The same hits with the same scores."""
    (search,) = searches(seeds, [Variant()])
    for text in QUESTIONS:
        assert search(Question("1", text), 5) == seeds.search(text, 5)


@pytest.mark.parametrize("name", VARIANTS.keys() - {"hybrid"})
def test_each_finds_something_with_other_scores(seeds: Library, name: str) -> None:
    """Whatever is switched off, something is left, and something changes."""
    whole, without = searches(seeds, [Variant(), VARIANTS[name]])
    found = [(whole(one, 5), without(one, 5)) for one in (Question("1", q) for q in QUESTIONS)]
    assert all(hits for _, hits in found)
    assert any(own != hits for own, hits in found)


def test_mean_vector_by_hand() -> None:
    """Three tokens along x and four along y: the direction (3, 4), brought to length 1."""
    sentences = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert mean_vector(sentences, np.array([3, 4], np.int32)).tolist() == pytest.approx([0.6, 0.8])


def test_mean_vector_without_tokens() -> None:
    """Sentences in which the model sees no token weigh the same."""
    sentences = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    found = mean_vector(sentences, np.zeros(2, np.int32))
    assert found.tolist() == pytest.approx([0.5**0.5, 0.5**0.5])
