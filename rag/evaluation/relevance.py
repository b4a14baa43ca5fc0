"""Judge results per query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.evaluation.labelled_sets import Question
from rag.evaluation.metrics import document_measures
from rag.evaluation.offsets import Places
from rag.evaluation.query_run import Answered
from rag.evaluation.spans import overlap
from rag.types import Hit

TOP = 5
"""Hits whose text is compared with the gold text, as in Chroma's report."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A query with its metrics.

    ``values`` has the metrics for which the query is labelled, all in [0, 1]. ``rank`` is the rank
    of the first relevant hit, or of the first relevant document if no passage is labelled; None if
    there is none. ``marked`` says whether the first highlighted sentence contains the answer; None
    if no passage is labelled.
    """

    answered: Answered
    values: Mapping[str, float]
    rank: int | None
    marked: bool | None


class Judge(Protocol):
    """Decides which passages are relevant."""

    def values(self, question: Question, hits: Sequence[Hit]) -> dict[str, float]:
        """Metrics other than those derived from which hits are relevant."""
        ...

    def is_right(self, question: Question, hit: Hit) -> bool:
        """Whether the passage of a hit contains the answer."""
        ...

    def is_marked(self, question: Question, hit: Hit) -> bool:
        """Whether the highlighted sentence of a hit contains the answer."""
        ...


@dataclass(frozen=True, slots=True)
class SpanJudge:
    """For queries labelled with answer spans, any of which is sufficient."""

    places: Places

    def values(self, question: Question, hits: Sequence[Hit]) -> dict[str, float]:
        """How much of the gold text the top hits cover, and whether they cover all of it."""
        gold = [self.places.gold(span) for span in question.spans]
        found = [self.places.hit(hit) for hit in hits[:TOP]]
        shares = overlap(gold, found)
        return {
            f"all answers in {TOP} hits": float(
                all(any(one.holds(span) for one in found) for span in gold)
            ),
            f"text recall@{TOP}": shares.recall,
            f"text precision@{TOP}": shares.precision,
            f"text IoU@{TOP}": shares.iou,
        }

    def is_right(self, question: Question, hit: Hit) -> bool:
        """Whether the passage contains a gold span."""
        passage = self.places.hit(hit)
        return any(passage.holds(self.places.gold(span)) for span in question.spans)

    def is_marked(self, question: Question, hit: Hit) -> bool:
        """Whether the highlighted sentence contains a gold span."""
        sentence = self.places.answer(hit)
        return any(sentence.holds(self.places.gold(span)) for span in question.spans)


@dataclass(frozen=True, slots=True)
class TextJudge:
    """For queries labelled with a text, and optionally with the file it must be in.

    White space and case are ignored.
    """

    names: Callable[[Hit], Sequence[str]]

    def values(self, question: Question, hits: Sequence[Hit]) -> dict[str, float]:
        """No further metrics."""
        del question, hits
        return {}

    def is_right(self, question: Question, hit: Hit) -> bool:
        """Whether the passage contains the expected text."""
        return self._holds(hit.text, question) and self._is_in_file(question, hit)

    def is_marked(self, question: Question, hit: Hit) -> bool:
        """Whether the highlighted sentence contains the expected text."""
        return self._holds(hit.answer.text, question) and self._is_in_file(question, hit)

    def _holds(self, text: str, question: Question) -> bool:
        return _folded(question.expected or "") in _folded(text)

    def _is_in_file(self, question: Question, hit: Hit) -> bool:
        return not question.documents or any(
            question.documents.get(name, 0) > 0 for name in self.names(hit)
        )


@dataclass(frozen=True, slots=True)
class RatedJudge:
    """For queries with passages that a user rated good.

    ``right`` has the texts of these passages by query id, and the query's spans are the sentences
    highlighted in them. A passage with the same text is equally relevant.
    """

    right: Mapping[str, Sequence[str]]

    def values(self, question: Question, hits: Sequence[Hit]) -> dict[str, float]:
        """No further metrics."""
        del question, hits
        return {}

    def is_right(self, question: Question, hit: Hit) -> bool:
        """Whether a user rated this passage good."""
        return _folded(hit.text) in map(_folded, self.right[question.id])

    def is_marked(self, question: Question, hit: Hit) -> bool:
        """Whether the same sentence is highlighted as at the time of rating."""
        return self.is_right(question, hit) and any(
            _folded(span.text) in _folded(hit.answer.text) for span in question.spans
        )


def judge(answered: Sequence[Answered], by: Judge) -> list[Judged]:
    """Judge all results: documents by their gains, passages with ``by``."""
    labelled = {
        one.question.id: one
        for one in answered
        if any(g > 0 for g in one.question.documents.values())
    }
    ranks = document_measures(
        {id_: one.question.documents for id_, one in labelled.items()},
        {id_: one.documents for id_, one in labelled.items()},
    )
    return [_judged(one, ranks.get(one.question.id, {}), by) for one in answered]


def _judged(answered: Answered, ranks: Mapping[str, float], by: Judge) -> Judged:
    question, hits = answered.question, answered.hits
    values = {f"document {name}": value for name, value in ranks.items()}
    if not question.spans and question.expected is None:
        gains = question.documents
        right = [gains.get(name, 0) > 0 for name in answered.documents]
        return Judged(answered, values, _first(right), marked=None)
    right = [by.is_right(question, hit) for hit in hits]
    rank = _first(right)
    marked = bool(hits) and by.is_marked(question, hits[0])
    values |= {
        "answer MRR@10": 1.0 / rank if rank else 0.0,
        "answer in first hit": float(any(right[:1])),
        "answer in 5 hits": float(any(right[:5])),
        "answer in 10 hits": float(any(right[:10])),
        "answer in marked sentence": float(marked),
    }
    return Judged(answered, values | by.values(question, hits), rank, marked)


def _first(right: Sequence[bool]) -> int | None:
    return right.index(True) + 1 if any(right) else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
