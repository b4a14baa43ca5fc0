"""Check the store for consistency, including checksums, counts and references."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from rag.errors import LibraryDamaged
from rag.index.columns import DOCUMENT, Row, checksum
from rag.index.columns import passage as to_passage
from rag.index.integrity import SHAPES, Fault, fits, passage_faults
from rag.index.records import content_key
from rag.index.sqlite.database import Database
from rag.index.sqlite.writer import PASSAGE
from rag.types.parts import READ_AS, made_id

_MOST = 20
"""Maximum messages of SQLite's integrity check to report: one lost page causes hundreds."""


_OTHER_LANGUAGE = "json_valid(metadata) AND language IS NOT metadata ->> '$.language'"
"""Rows whose language column differs from the metadata that it was copied from."""


class StoreCheck:
    """Checks of one store, each in its own read transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.pieces: Counter[int] = Counter()
        """Document frequency of each word piece, counted in passages; set by :meth:`documents`."""
        self.sentences = 0
        self.passages = 0

    def structure(self) -> list[Fault]:
        """SQLite's own checks of the file: pages, indexes, constraints, foreign keys."""
        lines = self._database.execute(f"PRAGMA integrity_check({_MOST})").fetchall()
        return [Fault(f"SQLite: {line}") for (line,) in lines if line != "ok"] + [
            Fault(f"row {row} of {table} refers to a {parent} that doesn't exist")
            for table, row, parent, _ in self._database.execute("PRAGMA foreign_key_check")
        ]

    def documents(self, on_progress: Callable[[int, int], None]) -> Iterator[Fault]:
        """Defects of each document, its passages and their encodings."""
        rows = self._database.execute("SELECT key FROM document ORDER BY key")
        keys = [key for (key,) in rows]
        for done, key in enumerate(keys, 1):
            try:
                row = self._database.execute(
                    f"SELECT {', '.join(DOCUMENT)}, checksum FROM document WHERE key = ?",  # noqa: S608
                    (key,),
                ).fetchone()
                facts = dict(zip((*DOCUMENT, "checksum"), row, strict=True))
                yield from self._document(key, facts)
            except LibraryDamaged as error:
                yield Fault(str(error))
            on_progress(done, len(keys))

    def counts(self) -> list[Fault]:
        """Stored counts that differ from the real ones; call after :meth:`documents`."""
        database, found = self._database, []
        there = database.value("SELECT count(*) FROM passage")
        if there != self.passages:
            found.append(Fault(f"{there - self.passages:,} passages belong to no document"))
        stored = int(database.fact("sentences"))
        if stored != self.sentences:
            found.append(
                Fault(f"{stored:,} sentences are recorded where there are {self.sentences:,}")
            )
        rows = database.execute("SELECT id, passages FROM piece WHERE passages <> 0")
        wrong = database.value(f"SELECT count(*) FROM document WHERE {_OTHER_LANGUAGE}")  # noqa: S608
        if wrong:
            found.append(Fault(f"{wrong:,} documents are listed under the wrong language"))
        differing = set(dict(rows.fetchall()).items()) ^ set(self.pieces.items())
        if differing:
            pieces = len({piece for piece, _ in differing})
            found.append(Fault(f"{pieces:,} word-piece counts are wrong"))
        return found

    def orphans(self) -> list[Fault]:
        """Documents without a source, and tombstones of passages that exist."""
        rows = self._database.execute(
            "SELECT id FROM document WHERE key NOT IN (SELECT document FROM source)"
        )
        found = [Fault("it has no source", id_, text=True) for (id_,) in rows]
        twice = self._database.value(
            "SELECT count(*) FROM removed WHERE passage IN (SELECT key FROM passage)"
        )
        if twice:
            found.append(Fault(f"{twice:,} passages are marked as deleted, but exist"))
        return found

    def _document(self, key: int, row: dict[str, Any]) -> Iterator[Fault]:
        id_ = row["id"]
        if row["checksum"] != checksum(*(row[name] for name in DOCUMENT)):
            yield Fault("its text or metadata doesn't match its checksum", id_, text=True)
        if not _is_readable(row):
            yield Fault("its metadata can't be read", id_, text=True)
        elif not self._is_its_id(key, row):
            yield Fault("its id is not made from its content", id_, text=True)
        names = ", ".join(f'"{name}"' for name in PASSAGE)
        rows = self._database.execute(
            f"SELECT content, {names}, checksum FROM passage"  # noqa: S608 (our own)
            " LEFT JOIN encoding ON encoding.passage = passage.key WHERE document = ?"
            " ORDER BY start",
            (key,),
        )
        there = self.passages
        for content, *values, stored in rows:
            passage = dict(zip(PASSAGE, values, strict=True))
            self._count(passage)
            faults = [*passage_faults(row["text"], passage, self._database.dimension)]
            if stored != checksum(*values) or (
                not faults and content != content_key(to_passage(passage | {"document": id_}))
            ):
                faults.insert(0, "doesn't match its checksum")
            for what in dict.fromkeys(faults):
                yield Fault(f"a passage of it {what}", id_)
        if self.passages == there and row["text"].strip():
            yield Fault("it has no passage", id_)

    def _is_its_id(self, key: int, row: dict[str, Any]) -> bool:
        """Whether a document has the id that its digest gives, and its number if it is a part."""
        read_as = json.loads(row["metadata"]).get(READ_AS)
        sources = self._database.execute("SELECT path FROM source WHERE document = ?", (key,))
        return all(row["id"] == made_id(row["digest"], read_as, path) for (path,) in sources)

    def _count(self, passage: Row) -> None:
        self.passages += 1
        self.sentences += len(passage["sentences"]) // 8
        with suppress(ValueError):  # cut: a defect of the passage
            pieces = np.frombuffer(passage["pieces"] or b"", dtype=np.int32)
            self.pieces.update(np.unique(pieces).tolist())


def _is_readable(row: Row) -> bool:
    """Whether the columns of a document are of their shapes, and fit each other."""
    if not all(fits(row[name], shape) for name, shape in SHAPES["document"].items()):
        return False
    spans = [span for name in ("headings", "pages") for span in json.loads(row[name])]
    labels, pages = json.loads(row["page_labels"]), json.loads(row["pages"])
    return (
        (row["date"] is None or _is_date(row["date"]))
        and len(labels) in {0, len(pages)}
        and all(0 <= start <= end <= len(row["text"]) for start, end, *_ in spans)
    )


def _is_date(text: str) -> bool:
    """Whether it is a date as rag writes it: filters compare dates as text."""
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except (ValueError, TypeError):  # it may be no text
        return False


def recount(database: Database, check: StoreCheck) -> None:
    """Store the counts that a check found."""
    with database.change() as connection:
        connection.execute("DELETE FROM piece")
        connection.executemany("INSERT INTO piece VALUES (?, ?)", [*check.pieces.items()])
        connection.execute("DELETE FROM meta WHERE name = 'sentences'")
        connection.execute("INSERT INTO meta VALUES ('sentences', ?)", (str(check.sentences),))
        connection.execute("DELETE FROM removed WHERE passage IN (SELECT key FROM passage)")
        connection.execute(
            "UPDATE document SET language = metadata ->> '$.language'"  # noqa: S608 (our own)
            f" WHERE {_OTHER_LANGUAGE}"
        )


def reindex(database: Database) -> None:
    """Rebuild SQLite's own indexes from its tables."""
    with database.change() as connection:
        connection.execute("REINDEX")


def delete_passages(database: Database, document_id: str) -> None:
    """Delete a document's passages, even damaged ones; leaves counts to :func:`recount`."""
    with database.transaction() as (connection, generation):
        of_document = "document = (SELECT key FROM document WHERE id = ?)"
        connection.execute(
            f"INSERT OR REPLACE INTO removed SELECT key, ? FROM passage WHERE {of_document}",  # noqa: S608
            (generation, document_id),
        )
        connection.execute(f"DELETE FROM passage WHERE {of_document}", (document_id,))  # noqa: S608


def mark_for_reading(database: Database, document_id: str) -> None:
    """Mark the files that contain a document to be read again by the next run, in any case."""
    with database.change() as connection:
        connection.execute(
            "UPDATE file SET reader = '0' WHERE path IN (SELECT file FROM source JOIN"
            " document ON document.key = source.document WHERE document.id = ?)",
            (document_id,),
        )
