"""Searches without a part of the ranking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from three_articles import QUESTIONS
from variants import VARIANTS, Variant, mean_vector, searches

from rag import Library
from rag.evaluation.labelled_sets import Question
from rag.models.embedder import SentenceTransformerEmbedder

SEEDS = Path(__file__).parents[2] / "seeds"
ASKED = [*QUESTIONS, "How heavy is box 70 of the Zorawar, please?!", "green lamp of Wexcombe lit"]


@pytest.fixture(scope="module")
def library(
    tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder
) -> Iterator[Library]:
    """The seed article; passages that only a title says what about; a long and a short sentence."""
    folder = tmp_path_factory.mktemp("variants")
    boxes = " ".join(f"Box {n} has a weight of {n} kilograms, roughly." for n in range(90))
    (folder / "boxes.md").write_text(f"# The Zorawar\n\n{boxes}")
    (folder / "lamps.txt").write_text(
        "The green lamp of Wexcombe, which stood for many years upon an old oak table next to the "
        "window of the granary, was lit. The green lamp of Wexcombe was lit."
    )
    with Library.open(folder / "library", embedder=embedder) as opened:
        opened.index([SEEDS, folder / "boxes.md", folder / "lamps.txt"])
        yield opened


def test_default_is_what_a_library_does(library: Library) -> None:
    """The same hits with the same scores."""
    (search,) = searches(library, [Variant()])
    for text in ASKED:
        assert search(Question("1", text), 5) == library.search(text, 5)


@pytest.mark.parametrize("name", VARIANTS.keys() - {"hybrid"})
def test_each_finds_something_with_other_scores(library: Library, name: str) -> None:
    """Whatever is switched off, something is left, and something changes."""
    whole, without = searches(library, [Variant(), VARIANTS[name]])
    found = [(whole(one, 5), without(one, 5)) for one in (Question("1", q) for q in ASKED)]
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
