"""Labelled sets in BEIR format (Thakur et al., NeurIPS 2021).

::

    corpus.jsonl[.gz]    {"_id", "title", "text", "metadata"}, one document per line
    queries.jsonl[.gz]   {"_id", "text", "metadata"}, one query per line
    qrels/SPLIT.tsv      query, document and gain, with or without a header

A query's metadata may contain two extensions: ``answer_spans``, ``[{"doc_id", "start", "end"}]``,
in characters of that document's text; and ``filter``, metadata values that a document must have to
be searched. A set with spans needs no qrels.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import InputError
from rag.evaluation.labelled_sets import (
    GoldSpan,
    LabelledSet,
    Question,
    Record,
    SetDocument,
    check_question,
    json_lines,
    no_set,
)
from rag.runtime.files import open_file
from rag.types import Span

USUAL_SPLIT = "test"

COLUMNS = 3
"""Columns of a qrels file."""


def read_beir(folder: Path, split: str | None = None) -> LabelledSet:
    """Read a set: the queries that have a span, or a document of positive gain in a split.

    Parameters
    ----------
    folder
        The folder of the set.
    split
        The qrels file, by default ``test``, or the only one there is.

    Raises
    ------
    InputError
        If a file is missing or damaged, or two of them contradict each other.
    """
    documents = _documents(_file(folder, "corpus"))
    judged = _judgements(folder, split)
    unknown = next((d for gains in judged.values() for d in gains if d not in documents), None)
    if unknown is not None:
        raise InputError(
            f"{folder}: the judgements name a document {unknown} that is not in the corpus; "
            "fetch the set again, or take those lines out of qrels"
        )
    queries = json_lines(_file(folder, "queries"))
    every = [_question(where, record, judged, documents) for where, record in queries]
    questions = tuple(
        one for one in every if one.spans or max(one.documents.values(), default=0) > 0
    )
    if not questions:
        raise no_set(folder, "no question of it has a label")
    return LabelledSet(
        folder.name, questions, tuple(documents.values()), len(every) - len(questions)
    )


def _file(folder: Path, name: str) -> Path:
    for candidate in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"):
        if candidate.is_file():
            return candidate
    raise no_set(folder, f"there is no {name}.jsonl in it")


def _documents(path: Path) -> dict[str, SetDocument]:
    found: dict[str, SetDocument] = {}
    for where, record in json_lines(path):
        id_ = _id(where, record)
        if id_ in found:
            raise InputError(f"{where}: there is another document {id_} above; take one out")
        found[id_] = SetDocument(
            id=id_,
            title=_string(where, record, "title", ""),
            text=_string(where, record, "text"),
            metadata=_values(where, record.get("metadata") or {}),
        )
    if not found:
        raise InputError(f"{path} is empty; fetch the set again")
    return found


def _question(
    where: str,
    record: Record,
    judged: Mapping[str, Mapping[str, int]],
    documents: Mapping[str, SetDocument],
) -> Question:
    metadata = record.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise InputError(f"{where}: “metadata” is no object; mend it")
    id_ = _id(where, record)
    return Question(
        id=id_,
        text=check_question(_string(where, record, "text"), where),
        documents=judged.get(id_, {}),
        spans=tuple(_span(where, one, documents) for one in metadata.get("answer_spans") or ()),
        where=_values(where, metadata.get("filter") or {}),
    )


def _span(where: str, given: Any, documents: Mapping[str, SetDocument]) -> GoldSpan:  # noqa: ANN401 (JSON)
    try:
        document, start, end = documents[str(given["doc_id"])], given["start"], given["end"]
        inside = 0 <= start < end <= len(document.text)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{where}: an answer span needs “doc_id”, of a document in the corpus, “start” and "
            f"“end”, not {given}; mend it"
        ) from error
    if not inside:
        raise InputError(
            f"{where}: the span {start}-{end} is empty or beyond the {len(document.text)} "
            f"characters of document {document.id}; mend it"
        )
    return GoldSpan(document.id, Span(start, end), document.text[start:end])


def _judgements(folder: Path, split: str | None) -> dict[str, dict[str, int]]:
    """The gain of each judged document by query; empty if the set has no qrels."""
    files = {path.stem: path for path in sorted((folder / "qrels").glob("*.tsv"))}
    if split is None:
        if not files:
            return {}
        split = USUAL_SPLIT if len(files) > 1 else next(iter(files))
    if split not in files:
        there = ", ".join(files) or "none"
        raise InputError(f"{folder} has no judgements {split}; name others by --split: {there}")
    found: dict[str, dict[str, int]] = {}
    with open_file(files[split]) as file:
        lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        for number, row in enumerate(csv.reader(lines, csv.excel_tab, quoting=csv.QUOTE_NONE), 1):
            if len(row) == COLUMNS and _is_number(row[-1]):
                found.setdefault(row[0], {})[row[1]] = int(row[2])
            elif row and (number > 1 or _is_number(row[-1])):  # a header may come first
                raise InputError(
                    f"{files[split]}, line {number}: a line has a question, a document and a "
                    f"whole number with tabs between them, not {' '.join(row)}; mend it"
                )
    return found


def _is_number(text: str) -> bool:
    return text.strip().removeprefix("-").isdecimal()


def _id(where: str, record: Record) -> str:
    if not isinstance(record.get("_id"), str | int):
        raise InputError(f"{where}: there is no “_id”; give it one")
    return str(record["_id"])


def _string(where: str, record: Record, name: str, default: str | None = None) -> str:
    value = record.get(name, default)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise InputError(f"{where}: “{name}” must be a text; mend it")
    return value


def _values(where: str, given: Any) -> dict[str, str]:  # noqa: ANN401 (JSON)
    """Convert metadata values to text, and prefix their names, because loaders would take some
    fields for the document's date or author.
    """
    if not isinstance(given, dict):
        raise InputError(f"{where}: “metadata” and “filter” are objects {{name: value}}; mend it")
    return {f"set.{name}": _as_text(value) for name, value in given.items()}


def _as_text(value: Any) -> str:  # noqa: ANN401 (JSON)
    if isinstance(value, list):
        return ", ".join(_as_text(one) for one in value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else " ".join(str(value).split())
