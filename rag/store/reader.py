"""Reading the store, from any number of threads."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from rag.filters import Filter
from rag.store.database import Database
from rag.store.records import (
    FileRecord,
    NewPassage,
    PieceFrequencies,
    Source,
    StoredPassage,
    StoredTokens,
)
from rag.types import (
    Document,
    DocumentSummary,
    Failure,
    FileReport,
    Heading,
    Keys,
    Page,
    Passage,
    Span,
    Vectors,
)


class StoreReader:
    """What is in the store now: every call sees all that was committed before it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def library_id(self) -> str:
        """Given at random when the library was made."""
        return self._database.fact("library")

    @property
    def generation(self) -> int:
        """Rises by one with every committed change."""
        return int(self._database.fact("generation"))

    def files(self) -> dict[str, FileRecord]:
        """Every file that was read, by its path."""
        rows = self._database.connection.execute(
            "SELECT path, size, modified_ns, digest, reader, failures, seconds FROM file"
        )
        return {
            path: FileRecord(path, size, modified_ns, digest, reader, _failures(failures), seconds)
            for path, size, modified_ns, digest, reader, failures, seconds in rows
        }

    def file_reports(self) -> list[FileReport]:
        """Every file that was read, and what came of it, by path."""
        rows = self._database.connection.execute(
            "SELECT file.path, failures, seconds,"
            " (SELECT json_group_array(json_array(json(pages), length(text), json(warnings),"
            "    metadata ->> '$.language',"
            "    (SELECT count(*) FROM passage WHERE passage.document = document.key)))"
            "  FROM source JOIN document ON document.key = source.document"
            "  WHERE source.file = file.path)"
            " FROM file ORDER BY file.path"
        )
        return [_file_report(*row) for row in rows]

    def matching(self, conditions: Filter) -> list[tuple[int, int]]:
        """The passages of documents that meet all conditions: keys, and numbers of sentences."""
        clauses, values = _conditions(conditions)
        return self._database.connection.execute(
            "SELECT passage.key, length(sentences) / 8 FROM passage"  # noqa: S608 (values apart)
            f" JOIN document ON document.key = passage.document WHERE {clauses}",
            values,
        ).fetchall()

    def sources(self) -> list[Source]:
        """Every place where a document was found."""
        rows = self._database.connection.execute(
            "SELECT path, file, id FROM source JOIN document ON document.key = source.document"
        )
        return [Source(*row) for row in rows]

    def has_document(self, document_id: str) -> bool:
        """Whether a document of that id is in the store."""
        return (
            self._database.connection.execute(
                "SELECT 1 FROM document WHERE id = ?", (document_id,)
            ).fetchone()
            is not None
        )

    def document(self, document_id: str) -> Document | None:
        """The document of that id, or None."""
        row = self._database.connection.execute(
            "SELECT id, (SELECT min(path) FROM source WHERE document = document.key), title, text,"
            " digest, date, metadata, headings, pages, page_labels, warnings"
            " FROM document WHERE id = ?",
            (document_id,),
        ).fetchone()
        if row is None:
            return None
        return Document(
            id=row[0],
            source=row[1],
            title=row[2],
            text=row[3],
            digest=row[4],
            date=_date(row[5]),
            metadata=json.loads(row[6]),
            headings=tuple(
                Heading(Span(start, end), level) for start, end, level in json.loads(row[7])
            ),
            pages=tuple(Span(start, end) for start, end in json.loads(row[8])),
            page_labels=tuple(json.loads(row[9])),
            warnings=tuple(json.loads(row[10])),
        )

    def documents(self, limit: int | None = None) -> list[DocumentSummary]:
        """The documents, the newest date first; those with only the date of a file come last."""
        rows = self._database.connection.execute(
            "SELECT id, title, (SELECT min(path) FROM source WHERE document = document.key), date,"
            " (SELECT count(*) FROM passage WHERE document = document.key),"
            " metadata ->> '$.date_from' AS date_from FROM document"
            " ORDER BY date_from = 'file time', date DESC, title, id LIMIT ?",
            (-1 if limit is None else limit,),
        )
        return [
            DocumentSummary(id_, title, source, _date(date), passages, date_from)
            for id_, title, source, date, passages, date_from in rows
        ]

    def counts(self) -> tuple[int, int, int]:
        """How many documents, passages and sentences there are."""
        row = self._database.connection.execute(
            "SELECT (SELECT count(*) FROM document), count(*),"
            " coalesce(sum(length(sentences)), 0) / 8 FROM passage"
        ).fetchone()
        return row[0], row[1], row[2]

    def piece_frequencies(self) -> PieceFrequencies:
        """In how many passages each word piece occurs."""
        rows = self._database.connection.execute("SELECT id, passages FROM piece")
        return PieceFrequencies(self.counts()[1], dict(rows.fetchall()))

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; one that is gone is left out."""
        found = {}
        for row in self._rows(
            'SELECT passage.key, passage.id, document.id, start, "end", passage.text, sentences,'
            " leading, passage.headings, passage.pages, title, date,"
            " metadata ->> '$.date_from',"
            " (SELECT json_group_array(path) FROM source WHERE document = document.key)"
            " FROM passage JOIN document ON document.key = passage.document"
            " WHERE passage.key IN (SELECT value FROM json_each(?))",
            keys,
        ):
            spans = np.frombuffer(row[6], dtype=np.int32).reshape(-1, 2).tolist()
            passage = Passage(
                id=row[1],
                document_id=row[2],
                start=row[3],
                end=row[4],
                text=row[5],
                sentences=tuple(Span(start, end) for start, end in spans),
                leading=row[7],
                headings=tuple(json.loads(row[8])),
                pages=tuple(Page(*page) for page in json.loads(row[9])),
            )
            found[row[0]] = StoredPassage(
                key=row[0],
                passage=passage,
                title=row[10],
                date=_date(row[11]),
                date_from=row[12],
                sources=tuple(sorted(json.loads(row[13]))),
            )
        return found

    def vectors(self, keys: Sequence[int]) -> dict[int, Vectors]:
        """Sentence vectors by passage key; a passage that is gone is left out."""
        rows = self._rows(
            "SELECT passage, vectors FROM encoding"
            " WHERE passage IN (SELECT value FROM json_each(?))",
            keys,
        )
        return {row[0]: self._unpacked(row[1]) for row in rows}

    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by passage key; a passage that is gone is left out."""
        rows = self._rows(
            "SELECT passage, counts, bits FROM encoding"
            " WHERE passage IN (SELECT value FROM json_each(?))",
            keys,
        )
        width = -(-self._database.dimension // 8)
        return {
            row[0]: StoredTokens(
                np.frombuffer(row[1], dtype=np.int32),
                np.frombuffer(row[2], dtype=np.uint8).reshape(-1, width),
            )
            for row in rows
        }

    def removed_since(self, generation: int) -> list[tuple[int, int]]:
        """Passages that went after a generation: their keys and numbers of sentences."""
        return self._database.connection.execute(
            "SELECT passage, sentences FROM removed WHERE generation > ?", (generation,)
        ).fetchall()

    def added_since(self, generation: int) -> Iterator[NewPassage]:
        """Passages that came after a generation and are still there, a few at a time."""
        rows = self._database.connection.execute(
            "SELECT passage.key, passage.text, title, passage.headings, vectors FROM passage"
            " JOIN document ON document.key = passage.document"
            " JOIN encoding ON encoding.passage = passage.key"
            " WHERE generation > ? ORDER BY passage.key",
            (generation,),
        )
        for key, text, title, headings, vectors in rows:
            yield NewPassage(key, text, title, tuple(json.loads(headings)), self._unpacked(vectors))

    def _unpacked(self, blob: bytes) -> Vectors:
        vectors = np.frombuffer(blob, dtype=np.float16).reshape(-1, self._database.dimension)
        return cast("Vectors", vectors.astype(np.float32))

    def _rows(self, statement: str, keys: Sequence[int] | Keys) -> Iterator[tuple[Any, ...]]:
        # The keys travel as one JSON value: SQLite limits the number of parameters.
        listed = json.dumps([int(key) for key in keys])
        return self._database.connection.execute(statement, (listed,))


def _conditions(conditions: Filter) -> tuple[str, list[str]]:
    """A filter as SQL with its values apart; it is never empty."""
    clauses, values = ["TRUE"], []
    if conditions.since:
        clauses.append("date >= ?")
        values.append(conditions.since.isoformat())
    if conditions.until:
        clauses.append("date <= ?")
        values.append(conditions.until.isoformat())
    if conditions.source:
        # Brackets are no wildcards here: they are common in names of files.
        pattern = conditions.source.replace("[", "[[]")
        clauses.append(
            "EXISTS (SELECT 1 FROM source WHERE document = document.key"
            " AND (path GLOB ? OR path GLOB ?))"
        )
        values += [pattern, f"*/{pattern}"]
    if conditions.title:
        clauses.append("instr(casefold(title), ?) > 0")
        values.append(conditions.title.casefold())
    if conditions.language:
        clauses.append("metadata ->> '$.language' = ?")
        values.append(conditions.language)
    for name, value in conditions.where.items():
        clauses.append(
            "EXISTS (SELECT 1 FROM json_each(metadata) WHERE json_each.key = ?"
            " AND json_each.value = ?)"
        )
        values += [name, value]
    return " AND ".join(clauses), values


def _failures(text: str) -> tuple[Failure, ...]:
    return tuple(Failure(source, reason) for source, reason in json.loads(text))


def _file_report(path: str, failures: str, seconds: float, documents: str) -> FileReport:
    found = json.loads(documents)
    pages = [page for document in found for page in document[0]]
    languages = sorted({document[3] for document in found if document[3]})
    return FileReport(
        source=path,
        documents=len(found),
        pages=len(pages),
        pages_with_text=sum(end > start for start, end in pages),
        characters=sum(document[1] for document in found),
        passages=sum(document[4] for document in found),
        languages=tuple(languages),
        warnings=tuple(line for document in found for line in document[2]),
        failures=_failures(failures),
        seconds=seconds,
    )


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
