"""Check the store for consistency, including checksums, counts and references."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import LibraryDamaged
from rag.index.sqlite.checksums import DOCUMENT, ENCODING, PASSAGE, checksum
from rag.index.sqlite.database import Database

_MOST = 20
"""Maximum messages of SQLite's integrity check to report: one lost page causes hundreds."""


_OTHER_LANGUAGE = "json_valid(metadata) AND language IS NOT metadata ->> '$.language'"
"""Rows whose language column differs from the metadata that it was copied from."""


_TEXT, _NUMBER, _LABEL = frozenset({str}), frozenset({int}), frozenset({str, type(None)})

SHAPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "document": {
            "metadata": {"": _TEXT},
            "headings": [(_NUMBER, _NUMBER, _NUMBER)],
            "pages": [(_NUMBER, _NUMBER)],
            "page_labels": [_TEXT],
            "warnings": [_TEXT],
        },
        "file": {"failures": [(_TEXT, _TEXT, _TEXT)]},
        "passage": {"pages": [(_NUMBER, _LABEL, _NUMBER)], "headings": [_TEXT]},
    }
)
"""Columns that hold JSON, and their types: a list of any length, a tuple of fixed length, an object
with any keys, or a scalar of one of several types."""

HIGHEST_PIECE = 10_000_000
"""Maximum id of a word piece; no model has a vocabulary of this size."""


def fits(content: str, shape: Any) -> bool:  # noqa: ANN401 (see above)
    """Whether a JSON text has the given type."""
    try:
        return _fits(json.loads(content), shape)
    except (ValueError, RecursionError):
        return False


def _fits(value: object, shape: Any) -> bool:  # noqa: ANN401
    if isinstance(shape, frozenset):
        return type(value) in shape
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(_fits(one, shape[""]) for one in value.values())
    if not isinstance(value, list):
        return False
    if isinstance(shape, tuple):
        return len(value) == len(shape) and all(map(_fits, value, shape))
    return all(_fits(one, shape[0]) for one in value)


@dataclass(frozen=True, slots=True)
class Fault:
    """A defect in the store.

    ``document`` is the id of the document that has it, or None. ``text`` is whether the document
    itself is affected, its text or metadata; anything else can be derived from it again. ``damage``
    is whether a checksum differs: the content was right once, and has changed.
    """

    what: str
    document: str | None = None
    text: bool = False
    damage: bool = False


class StoreCheck:
    """Checks of one store, each in its own read transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._row = -(-database.dimension // 8)
        self.pieces: Counter[int] = Counter()
        """Document frequency of each word piece, counted in passages; set by :meth:`documents`."""
        self.sentences = 0
        self.passages = 0

    def structure(self) -> list[Fault]:
        """SQLite's own checks of the file: pages, indexes, constraints, foreign keys."""
        connection = self._database.connection
        found = [
            Fault(f"SQLite: {line}")
            for (line,) in connection.execute(f"PRAGMA integrity_check({_MOST})")
            if line != "ok"
        ]
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            found.append(Fault(f"row {row} of {table} refers to a {parent} that doesn't exist"))
        return found

    def documents(self, on_progress: Callable[[int, int], None]) -> Iterator[Fault]:
        """Defects of each document, its passages and their encodings."""
        connection = self._database.connection
        keys = [key for (key,) in connection.execute("SELECT key FROM document ORDER BY key")]
        columns = ", ".join(DOCUMENT)
        for done, key in enumerate(keys, 1):
            try:
                row = connection.execute(
                    f"SELECT {columns}, checksum FROM document WHERE key = ?",  # noqa: S608
                    (key,),
                ).fetchone()
                facts = dict(zip((*DOCUMENT, "checksum"), row, strict=True))
                yield from self._document(key, facts)
            except LibraryDamaged as error:
                yield Fault(str(error))
            on_progress(done, len(keys))

    def counts(self) -> list[Fault]:
        """Stored counts that differ from the real ones; call after :meth:`documents`."""
        connection, found = self._database.connection, []
        (there,) = connection.execute("SELECT count(*) FROM passage").fetchone()
        if there != self.passages:
            found.append(Fault(f"{there - self.passages:,} passages belong to no document"))
        stored = int(self._database.fact("sentences"))
        if stored != self.sentences:
            found.append(
                Fault(f"{stored:,} sentences are recorded where there are {self.sentences:,} are")
            )
        rows = connection.execute("SELECT id, passages FROM piece WHERE passages <> 0")
        (wrong,) = connection.execute(
            f"SELECT count(*) FROM document WHERE {_OTHER_LANGUAGE}"  # noqa: S608 (our own)
        ).fetchone()
        if wrong:
            found.append(Fault(f"{wrong:,} documents are listed under the wrong language"))
        differing = set(dict(rows.fetchall()).items()) ^ set(self.pieces.items())
        if differing:
            pieces = len({piece for piece, _ in differing})
            found.append(Fault(f"{pieces:,} word-piece counts are wrong"))
        return found

    def orphans(self) -> list[Fault]:
        """Documents without a source, and tombstones of passages that exist."""
        connection, found = self._database.connection, []
        for (id_,) in connection.execute(
            "SELECT id FROM document WHERE key NOT IN (SELECT document FROM source)"
        ):
            found.append(Fault("it has no source", id_, text=True))
        (twice,) = connection.execute(
            "SELECT count(*) FROM removed WHERE passage IN (SELECT key FROM passage)"
        ).fetchone()
        if twice:
            found.append(Fault(f"{twice:,} passages are marked as deleted, but exist"))
        return found

    def _document(self, key: int, row: dict[str, Any]) -> Iterator[Fault]:
        id_ = row["id"]
        damage = False
        if row["checksum"] != checksum(*(row[name] for name in DOCUMENT)):
            damage = True
            yield Fault(
                "its text or metadata doesn't match its checksum",
                id_,
                text=True,
                damage=True,
            )
        if not all(fits(row[name], shape) for name, shape in SHAPES["document"].items()) or not all(
            0 <= start <= end <= len(row["text"])
            for name in ("headings", "pages")
            for start, end, *_ in json.loads(row[name])
        ):
            yield Fault("its metadata can't be read", id_, text=True, damage=damage)
        columns = ", ".join((*PASSAGE, *ENCODING))
        rows = self._database.connection.execute(
            f"SELECT {columns}, checksum FROM passage"  # noqa: S608 (our own)
            " LEFT JOIN encoding ON encoding.passage = passage.key WHERE document = ?"
            " ORDER BY start",
            (key,),
        )
        there = self.passages
        for passage in rows:
            self.passages += 1
            *content, stored = passage
            changed = stored != checksum(*content)
            faults = dict.fromkeys(self._passage(row["text"], content))
            if changed:
                faults = {"doesn't match its checksum": None} | faults
            for what in faults:
                yield Fault(f"a passage of it {what}", id_, damage=damage or changed)
        if self.passages == there and row["text"].strip():
            yield Fault("it has no passage", id_, damage=damage)

    def _passage(self, document: str, row: Sequence[Any]) -> Iterator[str]:
        """Defects of a passage, each worded as the end of a sentence."""
        _, start, end, pages, leading, headings, spans, text, *encoding = row
        if start < 0 or document[start:end] != text:
            yield "differs from the document's text there"
        shapes = SHAPES["passage"]
        if not fits(pages, shapes["pages"]) or not fits(headings, shapes["headings"]):
            yield "has pages or headings that can't be read"
        try:
            sentences = np.frombuffer(spans, dtype=np.int32).reshape(-1, 2)
            self.sentences += len(sentences)
            if not _in_order(sentences, start, end) or not 0 <= leading <= len(sentences):
                yield "has sentences outside of it"
            if None in encoding:
                yield "has no vectors"
                return
            yield from self._encoding(len(sentences), *encoding)
        except ValueError:
            yield "has vectors that can't be read"

    def _encoding(
        self, sentences: int, vectors: bytes, counts: bytes, pieces: bytes, bits: bytes
    ) -> Iterator[str]:
        rows = np.frombuffer(vectors, dtype=np.float16).reshape(-1, self._database.dimension)
        tokens = np.frombuffer(counts, dtype=np.int32)
        words = np.frombuffer(pieces, dtype=np.int32)
        self.pieces.update(np.unique(words).tolist())
        if len(rows) != sentences or len(tokens) != sentences:
            yield "has more or fewer vectors than sentences"
        lengths = np.linalg.norm(rows.astype(np.float32), axis=1)
        if not np.allclose(lengths, 1.0, atol=1e-2):  # NaN is not close to 1 either
            yield "has a vector whose length is not 1"
        if not tokens.sum() == len(words) == len(bits) / self._row or (tokens < 0).any():
            yield "has more or fewer tokens than recorded"
        if ((words < 0) | (words > HIGHEST_PIECE)).any():
            yield "has word pieces that no model has"


def recount(database: Database, check: StoreCheck) -> None:
    """Store the counts that a check found.

    Raises
    ------
    LibraryError
        If they can't be written.
    """
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
    """Rebuild SQLite's own indexes from its tables.

    Raises
    ------
    LibraryDamaged
        If the tables can't be read.
    """
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


def _in_order(sentences: NDArray[np.int32], start: int, end: int) -> bool:
    """Whether the sentences are in order, and within the passage."""
    edges = sentences.ravel()
    return bool(
        len(edges) and edges[0] >= start and edges[-1] <= end and (np.diff(edges) >= 0).all()
    )
