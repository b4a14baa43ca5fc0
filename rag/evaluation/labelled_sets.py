"""Labelled sets: questions with relevance labels, and the documents to search."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from zlib import error as ZlibError  # noqa: N812 (zlib names its exception like a function)

from rag.errors import InputError
from rag.runtime.files import open_file
from rag.types import Span

Record: TypeAlias = dict[str, Any]


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
    ignoring case. ``where`` filters the search by metadata.
    """

    id: str
    text: str
    documents: Mapping[str, int] = field(default_factory=dict)
    spans: tuple[GoldSpan, ...] = ()
    expected: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)


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
    """Sample at most ``most`` questions, evenly spread over the set; None for all."""
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


def json_lines(path: Path) -> Iterator[tuple[str, Record]]:
    """Iterate over the JSON objects in a file, one per line, each with its location for errors:
    ``queries.jsonl, line 3``.

    Files ending in ``.gz`` are decompressed. Empty lines are skipped.

    Raises
    ------
    InputError
        If the file is damaged or not UTF-8, or a line is not a JSON object.
    """
    try:
        with ExitStack() as stack:
            file: BinaryIO | gzip.GzipFile = stack.enter_context(open_file(path))
            if path.suffix == ".gz":
                file = stack.enter_context(gzip.GzipFile(fileobj=file))
            # Only line feeds separate lines: strings may contain other line separators.
            lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="\n")
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path.name}, line {number}", _record(line, f"{path}, line {number}")
    except (UnicodeDecodeError, EOFError, ZlibError, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged ({error}); fetch it again") from error


def _record(line: str, where: str) -> Record:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is no valid JSON: {error}; mend it") from error
    if not isinstance(value, dict):
        raise InputError(f"{where} is no JSON object {{…}}; mend it")
    return value
