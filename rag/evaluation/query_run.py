"""Run the queries of a labelled set."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rag.errors import InputError
from rag.evaluation.labelled_sets import Question
from rag.evaluation.metrics import DEPTH
from rag.types import Hit

SHOWN = 10
"""Hits that a reader looks at."""

Search: TypeAlias = Callable[[Question, int], list[Hit]]
"""Retrieves the best ``k`` hits for a question."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The results for a question.

    ``hits`` are the results of a search for ten, as a reader would run it, and ``seconds`` its
    latency. ``documents`` are the distinct document ids of a search for a hundred hits, ranked by
    their best passage; empty if no document is labelled. The two are separate searches, because a
    search for more hits has more candidates.
    """

    question: Question
    hits: tuple[Hit, ...]
    documents: tuple[str, ...]
    seconds: float


def ask(
    questions: Sequence[Question],
    search: Search,
    names: Callable[[Hit], Sequence[str]],
    on_progress: Callable[[int], None],
) -> list[Answered]:
    """Run all queries.

    Parameters
    ----------
    questions
        The queries.
    search
        The retrieval function.
    names
        Returns the set's ids of the documents that contain a hit.
    on_progress
        Called after each query with the number done.

    Raises
    ------
    InputError
        If a query is invalid, for example because it consists of filters only; the error names it.
    """
    answered = []
    for done, question in enumerate(questions, 1):
        try:
            answered.append(_answered(question, search, names))
        except InputError as error:
            raise InputError(f"question {question.id}, “{question.text}”: {error}") from error
        on_progress(done)
    return answered


def _answered(
    question: Question, search: Search, names: Callable[[Hit], Sequence[str]]
) -> Answered:
    began = time.perf_counter()
    hits = tuple(search(question, SHOWN))
    seconds = time.perf_counter() - began
    deep = search(question, DEPTH) if question.documents else []
    documents = dict.fromkeys(name for hit in deep for name in names(hit))
    return Answered(question, hits, tuple(documents), seconds)
