"""Write to the store: every method is one transaction."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np

from rag.index import columns
from rag.index.records import FileRecord, Source
from rag.index.sqlite.connections import Connection
from rag.index.sqlite.database import FACTS, Database
from rag.runtime.heartbeat import Beat, no_heartbeat, with_beats
from rag.types import Document, Passage, PassageEncoding

PASSAGE = (
    *("id", "start", "end", "pages", "leading", "headings", "sentences", "text"),
    *("vectors", "counts", "pieces", "bits"),
)
"""The columns of a passage and its encoding that its checksum covers, in order."""


class StoreWriter:
    """Changes the store. The caller must make sure that there is one writer at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self,
        document: Document,
        source: Source,
        passages: Sequence[Passage],
        encodings: Iterable[PassageEncoding],
    ) -> None:
        """Store a document, replacing an earlier version of it, and record its source."""
        with self._database.transaction() as (connection, generation):
            key = _put_document(connection, generation, document)
            pieces: Counter[int] = Counter()
            sentences = 0
            for passage, encoding in zip(passages, encodings, strict=True):
                _insert_passage(connection, generation, key, passage, encoding)
                pieces.update(np.unique(encoding.pieces).tolist())
                sentences += len(passage.sentences)
            _count_pieces(connection, pieces, 1)
            _count_sentences(connection, sentences)
            _drop_if_orphaned(connection, generation, _attach(connection, source))

    def add_sources(self, sources: Sequence[Source]) -> None:
        """Record that sources have documents already in the store.

        Two files may have swapped names, so no document is dropped before all sources are recorded.
        """
        with self._database.transaction() as (connection, generation):
            before = [_attach(connection, source) for source in sources]
            for document in before:
                _drop_if_orphaned(connection, generation, document)

    def record_files(self, records: Sequence[tuple[FileRecord, Sequence[str]]]) -> list[str]:
        """Record files as read; deletes and returns the sources that they no longer have."""
        gone: list[str] = []
        with self._database.transaction() as (connection, generation):
            for record, present in records:
                _insert(connection, "file", columns.file_columns(record), "INSERT OR REPLACE")
                rows = connection.execute("SELECT path FROM source WHERE file = ?", (record.path,))
                missing = {row[0] for row in rows.fetchall()} - set(present)
                for path in sorted(missing):
                    _forget(connection, generation, path)
                gone += sorted(missing)
        return gone

    def remove(self, paths: Sequence[str], files: Sequence[str]) -> None:
        """Delete sources and files, and documents that no other source has."""
        with self._database.transaction() as (connection, generation):
            for path in paths:
                _forget(connection, generation, path)
            connection.executemany("DELETE FROM file WHERE path = ?", [(path,) for path in files])

    def flush(self) -> None:
        """Do nothing: nothing is buffered, each call commits before it returns."""

    def copy_sources(self, other: Database, beat: Beat = no_heartbeat) -> None:
        """Replace sources and files by those of another store, whose documents this one has, and
        delete the documents that it doesn't have. The generation becomes later than its.
        """
        sources = other.execute(
            "SELECT path, file, id FROM source JOIN document ON document.key = source.document"
        )
        files = other.execute(f"SELECT {', '.join(columns.FILE)} FROM file")  # noqa: S608 (our own)
        marks = ", ".join("?" * len(columns.FILE))
        with self._database.transaction() as (connection, generation):
            connection.execute("DELETE FROM source")
            copied = connection.executemany(
                "INSERT INTO source (path, file, document)"
                " SELECT ?, ?, key FROM document WHERE id = ?",
                with_beats(sources, beat),
            )
            if copied.rowcount != other.value("SELECT count(*) FROM source"):
                raise LookupError("a document of the other store is not in this one")
            connection.execute("DELETE FROM file")
            connection.executemany(
                f"INSERT INTO file ({', '.join(columns.FILE)}) VALUES ({marks})",  # noqa: S608
                with_beats(files, beat),
            )
            gone = connection.execute(
                "SELECT key FROM document WHERE key NOT IN (SELECT document FROM source)"
            )
            for (key,) in gone.fetchall():
                beat()
                _drop_if_orphaned(connection, generation, key)
            connection.execute(
                "UPDATE meta SET value = max(CAST(value AS INTEGER), ?) WHERE name = 'generation'",
                (int(other.fact("generation")) + 1,),
            )

    def copy_notes(self, other: Database, notes: Mapping[str, str | None]) -> None:
        """Replace ratings and notes by those of another store, except for the given ``notes``."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM feedback")
            rows = other.execute("SELECT * FROM feedback")
            marks = ", ".join("?" * len(rows.description))
            connection.executemany(f"INSERT INTO feedback VALUES ({marks})", rows)  # noqa: S608
            chosen = "name NOT IN (SELECT value FROM json_each(?))"
            connection.execute(f"DELETE FROM meta WHERE {chosen}", (json.dumps(FACTS),))  # noqa: S608
            copied = other.execute(
                f"SELECT name, value FROM meta WHERE {chosen}",  # noqa: S608 (our own)
                (json.dumps([*FACTS, *notes]),),
            )
            given = [(name, value) for name, value in notes.items() if value is not None]
            connection.executemany("INSERT INTO meta VALUES (?, ?)", chain(copied, given))

    def move(self, before: str, now: str) -> None:
        """Change the prefix of all paths from ``before`` to ``now``; no index depends on them."""
        with self._database.change() as connection:
            connection.create_function(
                "moved",
                1,
                lambda path: now + path.removeprefix(before) if path.startswith(before) else path,
                deterministic=True,
            )
            connection.execute(
                "UPDATE OR REPLACE source SET path = moved(path), file = moved(file)"
            )
            connection.execute("UPDATE feedback SET source = moved(source)")
            connection.execute(
                "UPDATE OR REPLACE file SET path = moved(path), failures = (SELECT"
                " json_group_array(json_array("
                "moved(json_extract(value, '$[0]')), json_extract(value, '$[1]'),"
                " json_extract(value, '$[2]')))"
                " FROM json_each(failures))"
            )


def _put_document(connection: Connection, generation: int, document: Document) -> int:
    """Insert or replace a document, without passages; returns its key."""
    values = columns.document_columns(document)
    values["language"] = document.metadata.get("language")
    known = connection.execute("SELECT key FROM document WHERE id = ?", (document.id,)).fetchone()
    if known:
        _drop_passages(connection, generation, known[0])
        connection.execute(
            f"UPDATE document SET {', '.join(f'{name} = :{name}' for name in values)}"  # noqa: S608
            " WHERE id = :id",
            values,
        )
        return cast("int", known[0])
    return _insert(connection, "document", values)


def _insert_passage(
    connection: Connection,
    generation: int,
    document: int,
    passage: Passage,
    encoding: PassageEncoding,
) -> None:
    words, encoded = columns.passage_columns(passage), columns.encoding_columns(encoding)
    checksum = columns.checksum(*((words | encoded)[name] for name in PASSAGE))
    more = {"document": document, "generation": generation, "checksum": checksum}
    key = _insert(connection, "passage", words | more)
    _insert(connection, "encoding", {"passage": key} | encoded)


def _insert(
    connection: Connection, table: str, values: dict[str, Any], verb: str = "INSERT"
) -> int:
    """Insert a row of values by column; returns its key."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f":{name}" for name in values)
    cursor = connection.execute(f"{verb} INTO {table} ({names}) VALUES ({marks})", values)
    return cast("int", cursor.lastrowid)


def _forget(connection: Connection, generation: int, path: str) -> None:
    row = connection.execute(
        "DELETE FROM source WHERE path = ? RETURNING document", (path,)
    ).fetchone()
    if row:
        _drop_if_orphaned(connection, generation, row[0])


def _attach(connection: Connection, source: Source) -> int | None:
    """Record that a source has a document; returns the key of its previous one."""
    before = connection.execute(
        "SELECT document FROM source WHERE path = ?", (source.path,)
    ).fetchone()
    held = connection.execute(
        "INSERT OR REPLACE INTO source (path, file, document)"
        " SELECT ?, ?, key FROM document WHERE id = ?",
        (source.path, source.file, source.document_id),
    )
    if held.rowcount != 1:
        raise LookupError(f"document {source.document_id} is not in the store")
    return before[0] if before else None


def _drop_if_orphaned(connection: Connection, generation: int, document: int | None) -> None:
    if document is None:
        return
    held = connection.execute("SELECT 1 FROM source WHERE document = ?", (document,)).fetchone()
    if held:
        return
    _drop_passages(connection, generation, document)
    connection.execute("DELETE FROM document WHERE key = ?", (document,))


def _drop_passages(connection: Connection, generation: int, document: int) -> None:
    """Delete a document's passages, and add tombstones for the indexes."""
    pieces: Counter[int] = Counter()
    sentences = 0
    rows = connection.execute(
        "SELECT pieces, length(sentences) / 8 FROM encoding"
        " JOIN passage ON passage.key = encoding.passage WHERE document = ?",
        (document,),
    )
    for blob, count in rows:
        pieces.update(np.unique(np.frombuffer(blob, dtype=np.int32)).tolist())
        sentences += count
    _count_pieces(connection, pieces, -1)
    _count_sentences(connection, -sentences)
    connection.execute(
        "INSERT INTO removed (passage, generation) SELECT key, ? FROM passage WHERE document = ?",
        (generation, document),
    )
    connection.execute("DELETE FROM passage WHERE document = ?", (document,))


def _count_pieces(connection: Connection, pieces: Counter[int], sign: int) -> None:
    connection.executemany(
        "INSERT INTO piece (id, passages) VALUES (?, ?)"
        " ON CONFLICT (id) DO UPDATE SET passages = passages + excluded.passages",
        [(piece, sign * count) for piece, count in pieces.items()],
    )


def _count_sentences(connection: Connection, more: int) -> None:
    connection.execute("UPDATE meta SET value = value + ? WHERE name = 'sentences'", (more,))
