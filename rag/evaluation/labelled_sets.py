"""What a labelled set is: questions, and what is right for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import InputError
from rag.types import Span
from rag.types.filters import Filter


@dataclass(frozen=True, slots=True)
class GoldSpan:
    """A stretch of a document that answers a question; ``text`` is what stands there."""

    document: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what is right for it; there is at least one label.

    ``documents`` has the gain of each document that was judged, by its name in the set: 0 for
    one that is of no use. ``spans`` are stretches that answer, and ``expected`` is a text that a
    right passage contains, upper or lower case. ``conditions`` limit the search.
    """

    id: str
    text: str
    documents: Mapping[str, int] = field(default_factory=dict)
    spans: tuple[GoldSpan, ...] = ()
    expected: str | None = None
    conditions: Filter = field(default_factory=Filter)


@dataclass(frozen=True, slots=True)
class SetDocument:
    """A document that comes with a set; ``metadata`` are what filters ask for."""

    id: str
    title: str
    text: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Questions with labels, and the documents that they are asked of.

    ``documents`` is None where the questions are about a library that is there already.
    ``unlabelled`` counts the questions that were left out, because nothing says what is right.
    """

    name: str
    questions: tuple[Question, ...]
    documents: tuple[SetDocument, ...] | None
    unlabelled: int = 0


def spread(questions: Sequence[Question], most: int | None) -> tuple[Question, ...]:
    """At most so many of the questions, evenly spread over the set."""
    if most is None or most >= len(questions):
        return tuple(questions)
    return tuple(questions[len(questions) * i // most] for i in range(most))


def check_question(text: str, where: str) -> str:
    """The text of a question, if it can be asked.

    Raises
    ------
    InputError
        If there is no letter and no digit in it; ``where`` says where it stands.
    """
    if not any(character.isalnum() for character in text):
        raise InputError(f"{where}: the question is empty; write one, or take the line out")
    return text


def no_set(path: Path, reason: str) -> InputError:
    """The error for a path that is no labelled set."""
    return InputError(
        f"{path} is no labelled set: {reason}; give a folder with corpus.jsonl, queries.jsonl and "
        "qrels/, or a CSV or JSONL file with the columns “question” and “expected” or “file”"
    )
