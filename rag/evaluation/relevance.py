"""Judge the results of a query."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from rag.confidence.ratings import LocatedRating, locate
from rag.errors import InputError
from rag.evaluation.labelled_sets import GoldSpan, LabelledSet, Question, is_in_file
from rag.evaluation.metrics import document_metrics
from rag.index.engine import Reader
from rag.types import Hit, Quote, Rating

TOP = 5
"""Hits whose text is compared with the gold text, as in Chroma's report."""

RATED_SET = "ratings"
"""Name of a set made of ratings."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A query with its hits and metrics.

    ``seconds`` is the latency of the search for ``hits``. ``values`` has the metrics for which the
    query is labelled, all in [0, 1]. ``rank`` is the rank of the first relevant hit, or of the
    first relevant document if no passage is labelled; None if there is none. ``marked`` says
    whether the first highlighted sentence contains the answer; None if no passage is labelled.
    """

    question: Question
    hits: tuple[Hit, ...]
    seconds: float
    values: Mapping[str, float]
    rank: int | None
    marked: bool | None


class Judge(ABC):
    """Decides which text is relevant."""

    @abstractmethod
    def is_relevant(self, question: Question, hit: Hit, part: Quote) -> bool:
        """Whether a part of a hit, its passage or its highlighted sentence, has the answer."""

    def names(self, hit: Hit) -> Sequence[str]:
        """The set's ids of the documents that contain a hit."""
        return (hit.source, *hit.also_in)

    def coverage(self, question: Question, hits: Sequence[Hit]) -> dict[str, float]:  # noqa: ARG002
        """Metrics other than those derived from which hits are relevant."""
        return {}


@dataclass(frozen=True, slots=True)
class TextJudge(Judge):
    """For queries labelled with a text, with the file it must be in, or both.

    White space and case are ignored. ``files`` are all files that the queries name.
    """

    files: frozenset[str]

    def is_relevant(self, question: Question, hit: Hit, part: Quote) -> bool:
        """Whether the part contains the expected text, and is in the file."""
        places = product((hit.source, *hit.also_in), question.documents)
        is_there = not question.documents or any(is_in_file(*place) for place in places)
        return is_there and _folded(question.expected or "") in _folded(part.text)

    def names(self, hit: Hit) -> Sequence[str]:
        """The named files that contain a hit, or else its own source."""
        sources = (hit.source, *hit.also_in)
        found = {file for source, file in product(sources, self.files) if is_in_file(source, file)}
        return sorted(found) or sources[:1]


@dataclass(frozen=True, slots=True)
class RatedJudge(Judge):
    """For queries with passages that a user rated good.

    ``passages`` has the texts of these passages by query id, and the query's spans are the
    sentences highlighted in them. A passage with the same text is equally relevant.
    """

    passages: Mapping[str, Sequence[str]]

    def is_relevant(self, question: Question, hit: Hit, part: Quote) -> bool:
        """Whether a user rated the passage good, and the part has what was highlighted then."""
        is_rated = _folded(hit.text) in map(_folded, self.passages[question.id])
        text = _folded(part.text)
        return is_rated and any(_folded(span.text) in text for span in question.spans)


def rated_set(ratings: Sequence[Rating], reader: Reader) -> tuple[LabelledSet, RatedJudge]:
    """Make a labelled set of the questions with a passage rated good, and its judge.

    Passages rated good are relevant, all others are not. Only retrieved passages could be rated, so
    a ranking gets no credit for finding new ones (pooling bias): the set favours the ranking of the
    time, and an improvement over it is underestimated rather than overestimated.

    Ratings, oldest first, of passages that no longer exist are dropped, and a question left without
    any counts as unlabelled. ``reader`` reads the rated library.

    Raises
    ------
    InputError
        If no question is left.
    """
    good: dict[str, list[LocatedRating]] = {}
    for one in locate(ratings, reader):
        if one.rating.good:
            good.setdefault(one.rating.question, []).append(one)
    if not good:
        raise InputError(
            "no passage that is in the library was called good; ask on the page (rag serve), and "
            "press the thumb beside each passage that is right"
        )
    questions = tuple(
        Question(
            id=str(number),
            text=text,
            spans=tuple(
                GoldSpan(one.passage.document_id, one.answer, one.rating.answer.text)
                for one in rated
            ),
        )
        for number, (text, rated) in enumerate(good.items(), 1)
    )
    passages = {one.id: [rated.passage.text for rated in good[one.text]] for one in questions}
    unlabelled = len({one.question for one in ratings} - good.keys())
    return LabelledSet(RATED_SET, questions, None, unlabelled), RatedJudge(passages)


def judge(
    question: Question,
    hits: Sequence[Hit],
    documents: Sequence[str],
    by: Judge,
    seconds: float = 0.0,
) -> Judged:
    """Judge the results for a question: documents by their gains, passages with ``by``.

    Parameters
    ----------
    hits
        Those of a search for ten, best first.
    documents
        The distinct document ids of a deep search, ranked by their best passage; they matter only
        if the question has documents of positive gain.
    """
    values: dict[str, float] = {}
    if any(gain > 0 for gain in question.documents.values()):
        found = document_metrics(question.documents, documents)
        values = {f"document {name}": value for name, value in found.items()}
    if not question.spans and question.expected is None:
        right = [question.documents.get(name, 0) > 0 for name in documents]
        return Judged(question, tuple(hits), seconds, values, _first(right), marked=None)
    right = [by.is_relevant(question, hit, passage(hit)) for hit in hits]
    rank = _first(right)
    marked = bool(hits) and by.is_relevant(question, hits[0], hits[0].answer)
    values |= {
        "answer MRR@10": 1.0 / rank if rank else 0.0,
        "answer in first hit": float(any(right[:1])),
        "answer in 5 hits": float(any(right[:5])),
        "answer in 10 hits": float(any(right[:10])),
        "answer in marked sentence": float(marked),
    }
    values |= by.coverage(question, hits)
    return Judged(question, tuple(hits), seconds, values, rank, marked)


def passage(hit: Hit) -> Quote:
    """The whole passage of a hit."""
    return Quote(hit.text, hit.start, hit.end)


def _first(right: Sequence[bool]) -> int | None:
    return right.index(True) + 1 if any(right) else None


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
