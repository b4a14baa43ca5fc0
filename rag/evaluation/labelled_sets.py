"""Labelled sets: questions with relevance labels, and the documents to search, if they have any.

:mod:`rag.evaluation.beir` reads sets with documents. A user's own questions about an existing
library are read here, from a CSV file with a header, or JSON Lines with objects, with these fields:

``question``
    The question.
``expected``
    A text that a relevant passage contains.
``file``
    The file with the answer: its name, or the end of its path.

At least one of the last two is required; with both, a relevant passage is in that file and contains
that text.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, BinaryIO, TypeAlias
from zlib import error as ZlibError  # noqa: N812 (zlib names its exception like a function)

from rag.documents.character_encoding import decode
from rag.errors import InputError, LoadError
from rag.runtime.files import open_file
from rag.types import Span

Record: TypeAlias = dict[str, Any]

SEPARATORS = {".csv": ",;", ".tsv": "\t"}
"""Possible delimiters; spreadsheets in some locales write semicolons."""

JSON_LINES = frozenset({".jsonl", ".ndjson"})


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


def read_questions(path: Path) -> LabelledSet:
    """Read a file of questions.

    Raises
    ------
    InputError
        If it can't be read, or a question has no label.
    """
    suffix = path.suffix.lower()
    if suffix in JSON_LINES:
        rows = _json_rows(path)
    elif suffix in SEPARATORS:
        rows = _table_rows(path, SEPARATORS[suffix])
    else:
        raise no_set(path, f"{suffix or 'files without an ending'} are not read")
    questions = tuple(_question(n, where, row) for n, (where, row) in enumerate(rows, 1))
    if not questions:
        raise no_set(path, "there is no question in it")
    return LabelledSet(path.stem, questions, documents=None)


def is_in_file(source: str, file: str) -> bool:
    """Whether a source is that file or is inside it, as a message is inside a mailbox."""
    parts, wanted = PurePath(source).parts, PurePath(file).parts
    ends = range(len(wanted), len(parts) + 1)
    return any(parts[end - len(wanted) : end] == wanted for end in ends)


def check_files(questions: Sequence[Question], sources: Sequence[str]) -> None:
    """Check that every file named by a question is in the library.

    Raises
    ------
    InputError
        If one is not: a typo in its name would look like a failed query.
    """
    for file in dict.fromkeys(file for question in questions for file in question.documents):
        if not any(is_in_file(source, file) for source in sources):
            raise InputError(
                f"the questions name {file}, which is not in the library; "
                "mend the name, or index it: rag index PATH"
            )


def _question(number: int, where: str, row: Mapping[str, str]) -> Question:
    expected, file = row.get("expected", "").strip(), row.get("file", "").strip()
    if not expected and not file:
        raise InputError(
            f"{where}: nothing says what is right; fill in “expected” (a text that the right "
            "passage contains) or “file”"
        )
    return Question(
        id=str(number),
        text=check_question(row["question"].strip(), where),
        documents={file: 1} if file else {},
        expected=expected or None,
    )


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for where, record in json_lines(path):
        if not isinstance(record.get("question"), str):
            raise InputError(f"{where}: there is no “question”; write one, or take the line out")
        yield where, {name: str(value) for name, value in record.items() if value is not None}


def _table_rows(path: Path, separators: str) -> Iterator[tuple[str, dict[str, str]]]:
    try:
        with open_file(path) as file:
            text, _ = decode(file.read())
    except LoadError as error:
        raise no_set(path, str(error)) from error
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    names = lines[0] if lines else ""
    separator = max(separators, key=names.count)
    rows = csv.DictReader(lines, delimiter=separator)
    columns = [name.strip().lower() for name in rows.fieldnames or ()]
    if "question" not in columns:
        raise no_set(path, f"its columns are {', '.join(columns) or 'none'}")
    rows.fieldnames = columns
    for row in rows:
        if any(row.values()):
            yield f"{path.name}, line {rows.line_num}", {k: v or "" for k, v in row.items() if k}
