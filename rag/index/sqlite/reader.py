"""Read the store. Thread-safe."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.records import (
    FileRecord,
    Source,
    StoredPassage,
    StoredTokens,
    content_key,
    damaged,
    failures_from_json,
    sentence_spans,
    sound,
    together,
    unpack_vectors,
)
from rag.index.sqlite.checksums import DOCUMENT, checksum
from rag.index.sqlite.connections import Cursor
from rag.index.sqlite.database import Database
from rag.index.sqlite.filter_sql import FURTHER_PARTS, WHOLE, as_sql
from rag.index.sqlite.tokens import token_bits
from rag.types import (
    Document,
    DocumentCount,
    Failure,
    Heading,
    Page,
    Passage,
    PassageEncoding,
    Span,
)
from rag.types.arrays import Keys, TokenBits, Vectors
from rag.types.filters import Filter
from rag.types.parts import count_pages, whole_source
from rag.types.reports import FileReport

_STATUS = (
    "(:status IS NULL OR :status = CASE WHEN failures = '[]' THEN 'indexed'"
    " WHEN EXISTS (SELECT 1 FROM source WHERE source.file = file.path) THEN 'partly'"
    " ELSE 'failed' END)"
)
"""A condition on ``file``: it has the status of :class:`rag.types.reports.FileReport`."""


class StoreReader:
    """The current contents of the store: every call sees all previous commits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def generation(self) -> int:
        """Incremented by every commit."""
        return int(self._database.fact("generation"))

    def files(self, paths: Iterable[str] | None = None) -> dict[str, FileRecord]:
        """Records of all files read, or of those with these paths, by path."""
        if paths is None:
            return self._files("")
        return self._files("WHERE path IN (SELECT value FROM json_each(?))", json.dumps([*paths]))

    def files_with(self, digests: Iterable[str]) -> list[FileRecord]:
        """Records of the files with one of these content digests, by path."""
        where = "WHERE digest IN (SELECT value FROM json_each(?)) ORDER BY path"
        return list(self._files(where, json.dumps([*digests])).values())

    @sound
    def _files(self, where: str, *values: str) -> dict[str, FileRecord]:
        rows = self._database.connection.execute(
            "SELECT path, size, modified_ns, digest, reader, failures, seconds"  # noqa: S608
            f" FROM file {where}",
            values,
        )
        return {
            path: FileRecord(
                path, size, modified_ns, digest, reader, failures_from_json(failures), seconds
            )
            for path, size, modified_ns, digest, reader, failures, seconds in rows.fetchall()
        }

    @sound
    def file_reports(
        self, status: str | None = None, offset: int = 0, limit: int | None = None
    ) -> list[FileReport]:
        """Reports on all files read, or those with a status, by path; a page of them."""
        rows = self._database.connection.execute(
            "SELECT file.path, failures, seconds,"  # noqa: S608 (our own)
            " (SELECT json_group_array(json_array(json(pages), length(text), json(warnings),"
            "    language,"
            "    (SELECT count(*) FROM passage WHERE passage.document = document.key),"
            "    source.path))"
            "  FROM source JOIN document ON document.key = source.document"
            "  WHERE source.file = file.path)"
            f" FROM file WHERE {_STATUS} ORDER BY file.path LIMIT :limit OFFSET :offset",
            {"status": status, "limit": -1 if limit is None else limit, "offset": offset},
        )
        return [_file_report(*row) for row in rows]

    def count_files(self, status: str | None = None) -> int:
        """Number of files read, or of those with a status."""
        (found,) = self._database.connection.execute(
            f"SELECT count(*) FROM file WHERE {_STATUS}",  # noqa: S608 (our own)
            {"status": status},
        ).fetchone()
        return int(found)

    @sound
    def unread(self) -> tuple[list[Failure], list[Failure]]:
        """What could not be read, and what was read with doubts (warnings), by path."""
        failed = self._database.connection.execute(
            "SELECT failures FROM file WHERE failures <> '[]' ORDER BY path"
        )
        doubtful = self._database.connection.execute(
            "SELECT file, warnings FROM source JOIN document ON document.key = source.document"
            " WHERE warnings <> '[]' ORDER BY file, source.path"
        )
        return [one for (failures,) in failed for one in failures_from_json(failures)], [
            Failure(file, line) for file, lines in doubtful for line in json.loads(lines)
        ]

    def matching(self, conditions: Filter) -> Keys:
        """The keys of the passages of documents that meet all conditions, ascending."""
        clauses, values = as_sql(conditions)
        rows = self._database.connection.execute(
            "SELECT key FROM passage WHERE document IN"  # noqa: S608 (values apart)
            f" (SELECT key FROM document WHERE {clauses})",
            values,
        )
        return np.sort(np.fromiter((key for (key,) in rows), dtype=np.int64))

    def sources(self, files: Iterable[str] | None = None) -> list[Source]:
        """All sources, or those in these files."""
        where, values = "", []
        if files is not None:
            where, values = "WHERE file IN (SELECT value FROM json_each(?))", [json.dumps([*files])]
        rows = self._database.connection.execute(
            "SELECT path, file, id FROM source"  # noqa: S608 (values apart)
            f" JOIN document ON document.key = source.document {where}",
            values,
        )
        return [Source(*row) for row in rows.fetchall()]

    def paths(self) -> tuple[list[str], list[str]]:
        """Paths of all sources, and of all files read."""
        of_sources, of_files = (
            [path for (path,) in self._database.connection.execute(statement).fetchall()]
            for statement in ("SELECT path FROM source", "SELECT path FROM file")
        )
        return of_sources, of_files

    def files_with_warnings(self) -> frozenset[str]:
        """Files with warnings."""
        rows = self._database.connection.execute(
            "SELECT DISTINCT file FROM source JOIN document ON document.key = source.document"
            " WHERE warnings <> '[]'"
        )
        return frozenset(path for (path,) in rows)

    def has_document(self, document_id: str) -> bool:
        """Whether there is a document with that id."""
        return (
            self._database.connection.execute(
                "SELECT 1 FROM document WHERE id = ?", (document_id,)
            ).fetchone()
            is not None
        )

    @sound
    def document(self, document_id: str) -> Document | None:
        """The document with that id, or None."""
        row = self._database.connection.execute(
            f"SELECT {', '.join(DOCUMENT)}, checksum,"  # noqa: S608 (our own)
            " (SELECT min(path) FROM source WHERE document = document.key)"
            " FROM document WHERE id = ?",
            (document_id,),
        ).fetchone()
        if row is None:
            return None
        *facts, kept, source = row
        # Damaged content is never shown.
        if kept != checksum(*facts):
            raise damaged(f"the document “{row[1]}” doesn't match its checksum")
        id_, title, date, digest, metadata, headings, pages, labels, warnings, text = facts
        return Document(
            id=id_,
            source=source and whole_source(source),
            title=title,
            text=text,
            digest=digest,
            date=_date(date),
            metadata=json.loads(metadata),
            headings=tuple(
                Heading(Span(start, end), level) for start, end, level in json.loads(headings)
            ),
            pages=tuple(Span(start, end) for start, end in json.loads(pages)),
            page_labels=tuple(json.loads(labels)),
            warnings=tuple(json.loads(warnings)),
        )

    def counts(self) -> tuple[int, int, int]:
        """Numbers of documents, passages and sentences."""
        row = self._database.connection.execute(
            "SELECT (SELECT count(*) FROM document)"  # noqa: S608 (our own)
            f" - (SELECT count(DISTINCT document) FROM source WHERE {FURTHER_PARTS}),"
            " (SELECT count(*) FROM passage),"
            " (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'sentences')"
        ).fetchone()
        return row[0], row[1], row[2]

    def languages(self) -> dict[str, int]:
        """Number of documents by language; ``""`` if unknown."""
        rows = self._database.connection.execute(
            "SELECT language, count(*) FROM document"  # noqa: S608 (our own)
            f" WHERE {WHOLE} GROUP BY language"
        )
        return {code or "": count for code, count in rows}

    @sound
    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; deleted ones are left out."""
        found = {}
        for row in self._rows(
            'SELECT passage.key, passage.id, document.id, start, "end", passage.text, sentences,'
            " leading, passage.headings, passage.pages, title, date,"
            " metadata ->> '$.date_from',"
            " (SELECT json_group_array(path) FROM source WHERE document = document.key),"
            " content FROM passage JOIN document ON document.key = passage.document"
            " WHERE passage.key IN (SELECT value FROM json_each(?))",
            keys,
        ):
            passage = _passage(row[1:10])
            # Damaged content is never shown; libraries of the first format have no hash.
            if row[14] is not None and row[14] != content_key(passage):
                raise damaged(f"a passage of “{row[10]}” doesn't match its checksum")
            found[row[0]] = StoredPassage(
                key=row[0],
                passage=passage,
                title=row[10],
                date=_date(row[11]),
                date_from=row[12],
                sources=tuple(sorted(set(map(whole_source, json.loads(row[13]))))),
            )
        return found

    def count_by_document(self, keys: Sequence[int]) -> tuple[DocumentCount, ...]:
        """Number of these passages per document, in the order of their keys."""
        rows = self._rows(
            "SELECT document.id, title,"
            " (SELECT whole_source(min(path)) FROM source WHERE document = document.key), count(*)"
            " FROM passage JOIN document ON document.key = passage.document"
            " WHERE passage.key IN (SELECT value FROM json_each(?))"
            " GROUP BY document.key ORDER BY min(passage.key)",
            keys,
        )
        return together(DocumentCount(*row) for row in rows)

    @sound
    def passages_of(self, document_id: str) -> list[Passage]:
        """The passages of a document, in text order."""
        rows = self._database.connection.execute(
            'SELECT passage.id, document.id, start, "end", passage.text, sentences, leading,'
            " passage.headings, passage.pages"
            " FROM passage JOIN document ON document.key = passage.document"
            " WHERE document.id = ? ORDER BY start",
            (document_id,),
        )
        return [_passage(row) for row in rows]

    @sound
    def encodings(self, passages: Sequence[Passage]) -> dict[int, PassageEncoding]:
        """Stored encodings of identical passages (same text and sentence boundaries).

        Returns
        -------
        dict of int to PassageEncoding
            By position in ``passages``; those never encoded are left out.
        """
        positions: dict[int, list[int]] = {}
        for position, passage in enumerate(passages):
            positions.setdefault(content_key(passage), []).append(position)
        found: dict[int, PassageEncoding] = {}
        for content, text, start, spans, *encoding in self._rows(
            "SELECT content, text, start, sentences, vectors, counts, pieces, bits FROM passage"
            " JOIN encoding ON encoding.passage = passage.key"
            " WHERE content IN (SELECT value FROM json_each(?))",
            list(positions),
        ):
            relative = (np.frombuffer(spans, dtype=np.int32) - np.int32(start)).tobytes()
            for position in positions[content]:
                passage = passages[position]
                same = sentence_spans(passage, -passage.start).tobytes() == relative
                if same and passage.text == text:
                    found[position] = self._encoding(*encoding)
        return found

    def vectors(self, keys: Sequence[int]) -> dict[int, Vectors]:
        """Sentence vectors by passage key; deleted passages are left out."""
        found, counts, vectors = self.sentences(keys)
        each = np.split(vectors, np.cumsum(counts)[:-1])
        return dict(zip(found.tolist(), each, strict=False))  # split of an empty array returns one

    @sound
    def sentences(self, keys: Sequence[int]) -> tuple[Keys, NDArray[np.int64], Vectors]:
        """Sentence vectors of several passages, concatenated.

        Returns
        -------
        keys, counts, vectors
            The passages' keys and numbers of sentences, shape (passages,), and the vectors, shape
            (sentences, dimension). Deleted passages are left out.
        """
        rows = self._rows(
            "SELECT passage, vectors FROM encoding"
            " WHERE passage IN (SELECT value FROM json_each(?))",
            keys,
        ).fetchall()
        lengths = np.array([len(blob) for _, blob in rows], dtype=np.int64)
        counts, cut = np.divmod(lengths, 2 * self._database.dimension)
        if cut.any():
            raise damaged("a vector is cut")
        vectors = self._unpack(b"".join(blob for _, blob in rows))
        return np.array([key for key, _ in rows], dtype=np.int64), counts, vectors

    @sound
    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by passage key; deleted passages are left out."""
        return token_bits(self._database, keys)

    def _encoding(
        self, vectors: bytes, counts: bytes, pieces: bytes, bits: bytes
    ) -> PassageEncoding:
        return PassageEncoding(
            sentences=self._unpack(vectors),
            counts=np.frombuffer(counts, dtype=np.int32),
            pieces=np.frombuffer(pieces, dtype=np.int32),
            bits=self._unpack_bits(bits),
        )

    def _unpack_bits(self, blob: bytes) -> TokenBits:
        return np.frombuffer(blob, dtype=np.uint8).reshape(-1, -(-self._database.dimension // 8))

    def _unpack(self, blob: bytes) -> Vectors:
        return unpack_vectors(blob, self._database.dimension)

    def _rows(self, statement: str, keys: Sequence[int] | Keys) -> Cursor:
        # The keys are passed as one JSON value: SQLite limits the number of parameters.
        listed = json.dumps([int(key) for key in keys])
        return self._database.connection.execute(statement, (listed,))


def _passage(row: Sequence[Any]) -> Passage:
    id_, document_id, start, end, text, sentences, leading, headings, pages = row
    spans = np.frombuffer(sentences, dtype=np.int32).reshape(-1, 2).tolist()
    return Passage(
        id=id_,
        document_id=document_id,
        start=start,
        end=end,
        text=text,
        sentences=tuple(Span(first, last) for first, last in spans),
        leading=leading,
        headings=tuple(json.loads(headings)),
        pages=tuple(Page(*page) for page in json.loads(pages)),
    )


def _file_report(path: str, failures: str, seconds: float, documents: str) -> FileReport:
    found = json.loads(documents)
    pages, with_text = count_pages((document[5], document[0]) for document in found)
    languages = sorted({document[3] for document in found if document[3]})
    return FileReport(
        source=path,
        documents=len({whole_source(document[5]) for document in found}),
        pages=pages,
        pages_with_text=with_text,
        characters=sum(document[1] for document in found),
        passages=sum(document[4] for document in found),
        languages=tuple(languages),
        warnings=tuple(line for document in found for line in document[2]),
        failures=failures_from_json(failures),
        seconds=seconds,
    )


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
