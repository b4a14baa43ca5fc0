"""Labelled sets: questions with relevance labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import InputError
from rag.types import Span
from rag.types.filters import Filter


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A span of a document that answers a question; ``text`` is its text."""

    document: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with at least one relevance label.

    ``documents`` has the gain of each judged document by its id in the set; 0 means not relevant.
    ``spans`` are answer spans, and ``expected`` is a text that a relevant passage contains,
    ignoring case. ``conditions`` filter the search.
    """

    id: str
    text: str
    documents: Mapping[str, int] = field(default_factory=dict)
    spans: tuple[GoldSpan, ...] = ()
    expected: str | None = None
    conditions: Filter = field(default_factory=Filter)


@dataclass(frozen=True, slots=True)
class SetDocument:
    """A document of a set; ``metadata`` is what filters refer to."""

    id: str
    title: str
    text: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Labelled questions, and the documents to search.

    ``documents`` is None if the questions are about an existing library. ``unlabelled`` counts the
    questions that were left out for lack of a label.
    """

    name: str
    questions: tuple[Question, ...]
    documents: tuple[SetDocument, ...] | None
    unlabelled: int = 0


def spread(questions: Sequence[Question], most: int | None) -> tuple[Question, ...]:
    """Sample at most ``most`` questions, evenly spread over the set."""
    if most is None or most >= len(questions):
        return tuple(questions)
    return tuple(questions[len(questions) * i // most] for i in range(most))


def check_question(text: str, where: str) -> str:
    """Validate the text of a question.

    Raises
    ------
    InputError
        If it contains no letter and no digit; ``where`` is its location, for the error.
    """
    if not any(character.isalnum() for character in text):
        raise InputError(f"{where}: the question is empty; write one, or take the line out")
    return text


def no_set(path: Path, reason: str) -> InputError:
    """The error for a path that is not a labelled set."""
    return InputError(
        f"{path} is no labelled set: {reason}; give a folder with corpus.jsonl, queries.jsonl and "
        "qrels/, or a CSV or JSONL file with the columns “question” and “expected” or “file”"
    )
