"""A user's own questions about an existing library.

A CSV file with a header, or JSON Lines with objects, with these fields:

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
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from rag.documents.character_encoding import decode
from rag.errors import InputError, LoadError
from rag.evaluation.labelled_sets import (
    LabelledSet,
    Question,
    check_question,
    json_lines,
    no_set,
)
from rag.runtime.files import open_file

SEPARATORS = {".csv": ",;", ".tsv": "\t"}
"""Possible delimiters; spreadsheets in some locales write semicolons."""

JSON_LINES = frozenset({".jsonl", ".ndjson"})


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
