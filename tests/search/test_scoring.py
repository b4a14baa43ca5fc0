"""Fusion, late interaction and folding, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rag.index.records import StoredTokens
from rag.search import late_interaction, scoring
from rag.search.late_interaction import TokenMatches
from rag.search.pipeline import ScoredPassage, best_first, group_by_text
from rag.search.scoring import SearchConfig

DENSE, LEXICAL = np.array([0.8, -0.5, 0.2]), np.array([0.0, 0.6, 1.0])


@pytest.mark.parametrize(("weight", "expected"), [(0.5, [0.4, 0.3, 0.6]), (0.75, [0.6, 0.15, 0.4])])
def test_fusion_by_hand(weight: float, expected: list[float]) -> None:
    """A share of the cosine and the rest of the lexical score; a negative cosine counts as 0."""
    found = scoring.fuse(DENSE, LEXICAL, SearchConfig(dense_weight=weight))
    assert found.tolist() == pytest.approx(expected)
    assert SearchConfig().dense_weight == 0.5


def test_query_that_the_model_cannot_read() -> None:
    """BM25 alone is left, and its square root is taken; half legible, both weigh half as much."""
    config = SearchConfig().for_legibility(0.0)
    assert (config.dense_weight, config.late_weight) == (0.0, 0.0)
    assert scoring.rescale_lexical(np.array([0.25]), 0.0).tolist() == [0.5]
    config = SearchConfig().for_legibility(0.5)
    assert (config.dense_weight, config.late_weight) == (0.25, 0.375)
    assert scoring.rescale_lexical(np.array([0.25]), 1.0).tolist() == [0.25]


@pytest.mark.parametrize(("weight", "expected"), [(0.75, [0.7, 0.25]), (0.0, [0.4, 1.0])])
def test_combination_by_hand(weight: float, expected: list[float]) -> None:
    """A share of the late interaction and the rest of the fusion."""
    config = SearchConfig(late_weight=weight)
    found = scoring.combine(np.array([0.4, 1.0]), np.array([0.8, 0.0]), config)
    assert found.tolist() == pytest.approx(expected)
    assert SearchConfig().late_weight == 0.75


def test_idf_by_hand() -> None:
    """A piece in 1 of 4 passages weighs ln(1 + 3.5/1.5), one in all of them ln(1 + 0.5/4.5)."""
    found = scoring.idf(np.array([1, 4, 0]), 4)
    assert found.tolist() == pytest.approx([np.log(10 / 3), np.log(10 / 9), np.log(10)])


def test_best_of_runs() -> None:
    """The highest score of each run; none at all for a run without scores."""
    scores = np.array([0.1, 0.9, 0.3])
    assert scoring.best_of_runs(scores, np.array([2, 0, 1])).tolist() == [0.9, -np.inf, 0.3]


ALL_IN_THE_PASSAGE = SearchConfig(sentence_share=0.0)
"""MaxSim over the whole passage, as it was defined."""


def two_passages() -> TokenMatches:
    """Two passages in two dimensions, of two sentences and of one.

    The question's tokens point along (1, 1) and (1, -1). Token signs (+, +) meet the first fully
    (cosine 1) and the second not at all (0); (+, -) the other way round.
    """
    question = np.array([[2.0, 2.0], [1.0, -1.0]], dtype=np.float32)
    plus_plus, plus_minus = 0b11000000, 0b10000000
    bits = np.array([[plus_plus], [plus_minus], [plus_minus]], dtype=np.uint8)
    return late_interaction.match_tokens(
        question, bits, [np.array([1, 1], np.int32), np.array([1], np.int32)]
    )


def test_late_interaction_by_hand() -> None:
    """A row a token of the question, a column a sentence."""
    met = two_passages()
    np.testing.assert_allclose(met.best, [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]], atol=1e-6)
    assert (met.owners.tolist(), met.lengths.tolist()) == ([0, 0, 1], [1, 1, 1])


def test_scores_of_passages_by_hand() -> None:
    """The first token weighs three times as much: the first passage meets both tokens, its best
    sentence ¾ of the question; the second passage ¼ either way.
    """
    weights = np.array([3.0, 1.0])
    whole = late_interaction.passage_scores(two_passages(), weights, ALL_IN_THE_PASSAGE)
    assert whole.tolist() == pytest.approx([1.0, 0.25])
    mixed = late_interaction.passage_scores(
        two_passages(), weights, SearchConfig(sentence_share=0.4)
    )
    assert mixed.tolist() == pytest.approx([0.6 * 1.0 + 0.4 * 0.75, 0.25])


NONE_CONTINUED = np.zeros(2, bool)


def titled_passages() -> TokenMatches:
    """Two passages of a sentence each that meet the question's second token alone; the document
    of the first is led by a title that meets the other one.
    """
    question = np.array([[1.0, 1.0], [1.0, -1.0]], dtype=np.float32)
    plus_plus, plus_minus = [[0b11000000]], [[0b10000000]]
    bits, title = np.array(plus_minus * 2, np.uint8), np.array(plus_plus, np.uint8)
    counts = [np.array([1], np.int32)] * 2
    return late_interaction.match_tokens(question, bits, counts, [title, title[:0]])


def test_title_is_met_with_every_passage() -> None:
    """It stands with the whole passage and with each sentence of it."""
    met = titled_passages()
    np.testing.assert_allclose(met.title, [[1.0, -1.0], [0.0, -1.0]], atol=1e-6)
    for share in (0.0, 1.0):
        settings = SearchConfig(sentence_share=share)
        found = late_interaction.passage_scores(met, np.ones(2), settings)
        assert found.tolist() == pytest.approx([1.0, 0.5])


def test_title_chooses_no_sentence() -> None:
    """It stands with all sentences alike, so the answer is chosen without it."""
    scores = late_interaction.sentence_scores(titled_passages(), np.ones(2), NONE_CONTINUED)
    assert [one.tolist() for one in scores] == [[pytest.approx(0.5)]] * 2


def test_scores_of_sentences_by_hand() -> None:
    """The second sentence takes up what the first one meets, but the third is of another passage;
    sentences of one token have met nothing by chance.
    """
    first, second = late_interaction.sentence_scores(
        two_passages(), np.array([3.0, 1.0]), NONE_CONTINUED
    )
    assert first.tolist() == pytest.approx([0.75, 0.6 * 0.25 + 0.4 * 1.0])
    assert second.tolist() == pytest.approx([0.25])


def test_continued_pieces_choose_no_sentence() -> None:
    """The first token begins a word, the second continues it: only the first counts."""
    continued = np.array([False, True])
    first, _ = late_interaction.sentence_scores(two_passages(), np.ones(2), continued)
    assert first.tolist() == pytest.approx([1.0, 0.4])


def test_longer_sentence_must_meet_more() -> None:
    """Of two sentences that meet the question alike, the shorter one answers."""
    question = np.array([[1.0, 1.0]], dtype=np.float32)
    bits = np.array([[0b11000000]] * 4, dtype=np.uint8)
    met = late_interaction.match_tokens(question, bits, [np.array([3, 1], np.int32)])
    (scores,) = late_interaction.sentence_scores(met, np.ones(1), np.zeros(1, bool))
    assert scores.tolist() == pytest.approx([1.0 - 0.01 * np.log(3), 1.0])


def test_sentence_without_tokens() -> None:
    """It meets nothing, and its neighbours are not disturbed."""
    question = np.array([[1.0, 1.0]], dtype=np.float32)
    bits = np.array([[0b11000000]], dtype=np.uint8)
    counts = [np.array([0, 1, 0], np.int32), np.array([0], np.int32)]
    met = late_interaction.match_tokens(question, bits, counts)
    assert met.best.tolist() == [[-1.0, pytest.approx(1.0), -1.0, -1.0]]
    assert late_interaction.passage_scores(met, np.ones(1)).tolist() == pytest.approx([1.0, 0.0])
    first, second = late_interaction.sentence_scores(met, np.ones(1), np.zeros(1, bool))
    assert int(np.argmax(first)) == 1
    assert second.tolist() == [-1.0]


def test_question_without_tokens() -> None:
    """There is nothing to meet, so everything scores 0."""
    bits = np.array([[255]], dtype=np.uint8)
    question = np.zeros((0, 8), dtype=np.float32)
    met = late_interaction.match_tokens(question, bits, [np.array([1], np.int32)])
    assert late_interaction.passage_scores(met, np.zeros(0)).tolist() == [0.0]
    scores = late_interaction.sentence_scores(met, np.zeros(0), np.zeros(0, bool))
    assert [one.tolist() for one in scores] == [[0.0]]


def test_question_of_marks_alone_weighs_all_alike() -> None:
    """Where no token has a weight, each counts the same."""
    found = late_interaction.passage_scores(two_passages(), np.zeros(2), ALL_IN_THE_PASSAGE)
    assert found.tolist() == pytest.approx([1.0, 0.5])


@given(st.data())
def test_late_interaction_equals_a_loop(data: st.DataObject) -> None:
    """Brute force, token by token, gives the same scores."""
    dimension = 16
    floats = st.floats(-2, 2, width=32).filter(lambda x: abs(x) > 0.01)
    tokens = data.draw(st.integers(1, 4))
    question = data.draw(arrays(np.float32, (tokens, dimension), elements=floats))
    weights = data.draw(arrays(np.float64, tokens, elements=st.floats(0.1, 5)))
    counts = data.draw(
        st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3), min_size=1, max_size=3)
    )
    share = data.draw(st.floats(0, 1))
    total = sum(map(sum, counts))
    bits = data.draw(arrays(np.uint8, (total, dimension // 8)))
    signs = np.where(np.unpackbits(bits, axis=1), 1.0, -1.0).reshape(total, dimension)

    def met_by(rows: list[int]) -> float:
        score = 0.0
        for token, weight in zip(question.astype(float), weights, strict=True):
            cosines = [
                token @ signs[row] / np.linalg.norm(token) / np.sqrt(dimension) for row in rows
            ]
            score += weight * max(cosines, default=-1.0)
        return score / weights.sum()

    met = late_interaction.match_tokens(question, bits, [np.array(one, np.int32) for one in counts])
    passages = late_interaction.passage_scores(met, weights, SearchConfig(sentence_share=share))
    sentences = late_interaction.sentence_scores(met, weights, np.zeros(tokens, bool))
    begin = 0
    for score, of_sentences, lengths in zip(passages, sentences, counts, strict=True):
        rows = []
        for length in lengths:
            rows.append(list(range(begin, begin + length)))
            begin += length
        whole = met_by([row for some in rows for row in some])
        mixed = (1 - share) * whole + share * max(map(met_by, rows))
        assert score == pytest.approx(min(max(mixed, 0.0), 1.0), abs=1e-5)
        for n, found in enumerate(of_sentences):
            before = rows[n - 1] if n else []
            expected = 0.6 * met_by(rows[n]) + 0.4 * met_by(before + rows[n])
            expected -= 0.01 * np.log(max(lengths[n], 1))
            assert found == pytest.approx(expected, abs=1e-5)


def scored(score: float, place: tuple[str, int], text: str) -> ScoredPassage:
    """A passage with this score."""
    none = np.zeros(0)
    stored = StoredTokens(0, none, none, none, text, place)
    return ScoredPassage(stored, score, 0.0, 0.0, 0.0, none)


def test_equal_scores_go_by_place() -> None:
    """So that the same question has the same order on every run."""
    found = [(0.5, ("b", 0)), (0.9, ("c", 0)), (0.5, ("a", 7)), (0.5, ("a", 3))]
    ordered = best_first([scored(*one, "") for one in found])
    assert [one.stored.place for one in ordered] == [("c", 0), ("a", 3), ("a", 7), ("b", 0)]


def test_same_words_are_grouped() -> None:
    """Case and blanks make no difference; groups are in order of their best passage, and each
    begins with the copy that stands first.
    """
    found = [
        scored(0.6, ("a", 0), "The  cat."),
        scored(0.7, ("a", 9), "A dog."),
        scored(0.8, ("b", 0), "the cat."),
    ]
    groups = [[one.stored.place for one in group] for group in group_by_text(found)]
    assert groups == [[("a", 0), ("b", 0)], [("a", 9)]]
