"""What is right, and what follows from it, worked by hand."""

from __future__ import annotations

import pytest
from made_hits import hit

from rag import Document, Span
from rag.evaluation.corpus import Corpus
from rag.evaluation.labelled_sets import GoldSpan, Question, SetDocument
from rag.evaluation.relevance import TextJudge, judge
from rag.evaluation.spans import SpanJudge

TEXT = "Aa bb. Cc dd. Ee ff."
"""Ten letters and six other characters; no blanks counted: Aabb.Ccdd.Eeff."""


def by_spans() -> SpanJudge:
    """A judge of a set with one document, ``TEXT``, which the library has as it is."""
    corpus = Corpus({"a": SetDocument("a", "", TEXT, {})}, {"s": "a"})
    return SpanJudge(corpus, lambda _: Document("s", "s", "", TEXT, ""))


def gold(answer: str) -> GoldSpan:
    """Where an answer stands in it."""
    start = TEXT.index(answer)
    return GoldSpan("a", Span(start, start + len(answer)), answer)


FIRST = hit("s", "Aa bb.", "Aa bb.")
REST = hit("s", "Cc dd. Ee ff.", "Ee ff.", start=7)


def test_spans_by_hand() -> None:
    """The answers are ``Cc dd`` and ``dd. Ee``: together 4 + 1 + 2 = 7 characters, no blanks.

    Both lie in the second hit. Retrieved are all 15; the marked sentence of the first hit holds
    neither.
    """
    question = Question("q", "Why?", spans=(gold("Cc dd"), gold("dd. Ee")))
    found = judge(question, [FIRST, REST], (), by_spans())
    assert found.rank == 2
    assert found.marked is False
    assert found.values == {
        "answer MRR@10": 0.5,
        "answer in first hit": 0.0,
        "answer in 5 hits": 1.0,
        "answer in 10 hits": 1.0,
        "answer in marked sentence": 0.0,
        "all answers in 5 hits": 1.0,
        "text recall@5": 1.0,
        "text precision@5": pytest.approx(7 / 15),
        "text IoU@5": pytest.approx(7 / 15),
    }


def test_part_of_an_answer_is_none() -> None:
    """A hit with half of the span isn't right, but has half of the text."""
    question = Question("q", "Why?", spans=(gold("bb. Cc dd."),))
    found = judge(question, [FIRST], (), by_spans())
    assert found.rank is None
    assert found.values["answer MRR@10"] == 0.0
    assert found.values["all answers in 5 hits"] == 0.0
    assert found.values["text recall@5"] == pytest.approx(3 / 8)
    assert found.values["text precision@5"] == pytest.approx(3 / 5)
    assert found.values["text IoU@5"] == pytest.approx(3 / (5 + 8 - 3))


def test_marked_answer() -> None:
    """The sentence that the first hit marks holds the answer."""
    question = Question("q", "Why?", spans=(gold("ff"),))
    found = judge(question, [REST, FIRST], (), by_spans())
    assert (found.rank, found.marked) == (1, True)
    assert found.values["answer in marked sentence"] == 1.0


def test_sixth_hit_is_beyond_five() -> None:
    """But within ten; its rank counts, and its text does not."""
    question = Question("q", "Why?", spans=(gold("ff"),))
    found = judge(question, [*[FIRST] * 5, REST], (), by_spans())
    assert found.rank == 6
    assert found.values["answer MRR@10"] == pytest.approx(1 / 6)
    assert (found.values["answer in 5 hits"], found.values["answer in 10 hits"]) == (0.0, 1.0)
    assert found.values["text recall@5"] == 0.0


def test_nothing_found() -> None:
    """Everything is 0."""
    question = Question("q", "Why?", spans=(gold("ff"),), documents={"a": 1})
    found = judge(question, [], (), by_spans())
    assert (found.rank, found.marked) == (None, False)
    assert set(found.values.values()) == {0.0}


def test_documents_alone() -> None:
    """The rank is that of the first right document; nothing is said of passages."""
    question = Question("q", "Why?", {"a": 1, "b": 0})
    found = judge(question, [FIRST], ("x", "b", "a"), by_spans())
    assert (found.rank, found.marked) == (3, None)
    assert found.values["document MRR@10"] == pytest.approx(1 / 3)
    assert all(name.startswith("document ") for name in found.values)


@pytest.mark.parametrize(
    ("question", "rank", "marked"),
    [
        (Question("q", "Why?", expected="CC  dd"), 2, False),
        (Question("q", "Why?", expected="aa BB."), 1, True),
        (Question("q", "Why?", {"s": 1}, expected="aa"), 1, True),
        (Question("q", "Why?", {"t": 1}, expected="aa"), 3, False),
        (Question("q", "Why?", {"u": 1}, expected="aa"), 3, False),
        (Question("q", "Why?", expected="gg"), None, False),
    ],
)
def test_expected_text(question: Question, rank: int | None, marked: bool) -> None:  # noqa: FBT001
    """Case and blanks make no difference; with a file named, it must be in that one."""
    elsewhere = hit("t", "Aa.", "Aa.", also_in=("u",))
    found = judge(question, [FIRST, REST, elsewhere], (), TextJudge(frozenset()))
    assert (found.rank, found.marked) == (rank, marked)
