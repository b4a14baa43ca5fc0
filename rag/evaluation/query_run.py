"""Questions → what was found for them."""

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
"""The best hits for a question, at most so many."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What was found for a question.

    ``hits`` are those of a search for ten, as a reader makes it, and ``seconds`` is how long
    that took. ``documents`` are the names of the documents in a search for a hundred hits, each
    once, by its best passage; empty where no document is labelled. The two are searched apart,
    because a search for more hits looks deeper.
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
    """Ask all questions.

    Parameters
    ----------
    questions
        What to ask.
    search
        How to search.
    names
        What the set calls the documents that hold a hit.
    on_progress
        Told after each question how many are done.

    Raises
    ------
    InputError
        If a question can't be asked, because it has nothing but conditions, say; it is named.
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
