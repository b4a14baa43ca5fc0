"""Figures of the comparison that ``rag eval`` does not have, worked by hand."""

from __future__ import annotations

import pytest
from peers import READ, SHOWN, WITHIN, ChunkJudge, in_text, lengths, unread

from rag import Span
from rag.evaluation.corpus import Corpus
from rag.evaluation.labelled_sets import GoldSpan, Question, SetDocument
from rag.evaluation.relevance import Judged, judge

TEXT = f"{'padding ' * 200}The answer is Ghent."
"""1,600 characters, then the answer, which is Ghent: 1614 to 1619."""

DOCUMENTS = {"tanks": SetDocument("tanks", "", TEXT, {})}
BY = ChunkJudge(Corpus(DOCUMENTS, {"tanks": "tanks"}), unread)
QUESTION = Question(
    "q", "Where from?", {"tanks": 1}, (GoldSpan("tanks", Span(1614, 1619), "Ghent"),)
)


def judged(*spans: tuple[int, int]) -> Judged:
    """The question, answered with these chunks of the text."""
    hits = tuple(in_text(rank, "tanks", Span(*one), TEXT) for rank, one in enumerate(spans, 1))
    return lengths(judge(QUESTION, hits, ("tanks",), BY), BY)


def test_chunks_are_judged_by_where_they_stand() -> None:
    """The second chunk has the answer: its 20 characters in text of 1,620, all found.

    Without blanks the answer has 5 characters and the two chunks 16 · 7 and 17.
    """
    values = judged((0, 128), (1600, 1620)).values
    assert values["answer MRR@10"] == 0.5
    assert values["text recall@5"] == 1.0
    assert values["text precision@5"] == pytest.approx(5 / (16 * 7 + 17))
    assert values["document nDCG@10"] == 1.0


@pytest.mark.parametrize(
    ("spans", "within", "shown"),
    [
        (((1600, 1620),), 1.0, 20),
        (((0, 980), (1600, 1620)), 1.0, 1000),
        (((0, 982), (1600, 1620)), 0.0, 1002),
        (((0, 1620),), 0.0, 1620),
        (((0, 2), (0, 2), (0, 2), (0, 2), (0, 2), (1600, 1620)), 1.0, 10),
    ],
)
def test_what_a_hurried_reader_finds(
    spans: tuple[tuple[int, int], ...], within: float, shown: float
) -> None:
    """Ghent ends 19 characters into its chunk; 1,000 are read, and five hits are counted."""
    assert READ == 1_000
    values = judged(*spans).values
    assert (values[WITHIN], values[SHOWN]) == (within, shown)
