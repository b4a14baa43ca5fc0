"""What the ranking works out in pieces and by short cuts, against the plain way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.search import late_interaction, scoring


@pytest.mark.parametrize("dimension", [384, 768, 20])
def test_cosines_of_more_tokens_than_are_unpacked_at_once(dimension: int) -> None:
    """The pieces, the last of which is not full, give what one product gives."""
    chance = np.random.default_rng(dimension)
    rows = 2 * late_interaction.SINGLE_THREADED // dimension + 17
    question = chance.standard_normal((11, dimension), dtype=np.float32)
    positive = chance.random((rows, dimension)) > 0.5
    lengths = np.array([rows - 9, 0, 9], np.int32)
    met = late_interaction.match_tokens(question, np.packbits(positive, axis=1), [lengths])
    units = np.where(positive, 1.0, -1.0) / np.sqrt(dimension)
    cosines = question.astype(float) @ units.T / np.linalg.norm(question, axis=1, keepdims=True)
    expected = [cosines[:, :-9].max(axis=1), np.full(11, -1.0), cosines[:, -9:].max(axis=1)]
    np.testing.assert_allclose(met.best, np.transpose(expected), atol=1e-6)


@pytest.mark.parametrize(("tokens", "dimension"), [(13, 384), (40, 384), (5, 64)])
def test_the_same_row_has_the_same_cosine_wherever_it_stands(tokens: int, dimension: int) -> None:
    """Bit by bit, or copies of a passage would be ordered by rounding."""
    chance = np.random.default_rng(tokens)
    question = chance.standard_normal((tokens, dimension), dtype=np.float32)
    bits = chance.integers(0, 256, (300, dimension // 8), dtype=np.uint8)
    found = late_interaction.cosines(question, bits)
    for first in (1, 5, 77):
        assert np.array_equal(late_interaction.cosines(question, bits[first:]), found[:, first:])


@settings(max_examples=30)
@given(st.lists(st.lists(st.floats(-5, 5), max_size=4), max_size=6))
def test_best_of_runs_equals_a_loop(groups: list[list[float]]) -> None:
    """The highest of each group, in each row; what is said for one that is empty."""
    scores = np.array([score for group in groups for score in group])
    lengths = np.array([len(group) for group in groups], dtype=np.int64)
    both = np.stack([scores, -scores])
    found = scoring.best_of_runs(both, lengths, -9.0)
    assert found[0].tolist() == [max(group, default=-9.0) for group in groups]
    assert found[1].tolist() == [max((-one for one in group), default=-9.0) for group in groups]


WORDS = st.lists(st.sampled_from(["cat", "Cat", "STRASSE", "straße"]), max_size=3)
BLANKS = st.sampled_from([" ", "\n", "  "])


@settings(max_examples=30)
@given(st.lists(st.tuples(WORDS, BLANKS), max_size=4), st.randoms())
def test_folding_equals_comparing_all_words(
    written: list[tuple[list[str], str]], chance: object
) -> None:
    """Texts that begin alike are told apart by their ends, and texts of no words are the same."""
    texts = [blank.join(words) for words, blank in written]
    texts += [f"{text} a b c d e f g h {end}" for text in texts for end in ("end", "End", "other")]
    chance.shuffle(texts)  # type: ignore[attr-defined]
    groups: dict[str, list[int]] = {}
    for i, text in enumerate(texts):
        groups.setdefault(" ".join(text.casefold().split()), []).append(i)
    assert scoring.group_duplicates(texts) == [*groups.values()]
