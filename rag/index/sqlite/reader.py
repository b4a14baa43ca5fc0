"""Read the store. Thread-safe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.index import columns
from rag.index.records import (
    Counts,
    FileRecord,
    Source,
    StoredPassage,
    StoredTokens,
    content_key,
    damaged,
    sound,
    together,
    unpack_vectors,
)
from rag.index.sqlite.connections import Cursor
from rag.index.sqlite.database import Database
from rag.index.sqlite.filter_sql import WHOLE, as_sql
from rag.types import Document, DocumentCount, Failure, Passage, PassageEncoding
from rag.types.arrays import Keys, TokenBits, Vectors
from rag.types.filters import Filter
from rag.types.parts import whole_source
from rag.types.reports import FileReport

_STATUS = (
    "(:status IS NULL OR :status = CASE WHEN failures = '[]' THEN 'indexed'"
    " WHEN EXISTS (SELECT 1 FROM source WHERE source.file = file.path) THEN 'partly'"
    " WHEN EXISTS (SELECT 1 FROM json_each(failures)"
    "  WHERE value ->> '$[2]' NOT IN ('unsupported', 'secret')) THEN 'failed'"
    " ELSE 'skipped' END)"
)
"""A condition on ``file``: it has the status of :class:`rag.types.reports.FileReport`."""

_PASSAGE = (
    'passage.id, document.id, start, "end", passage.text, sentences, leading, passage.headings,'
    " passage.pages"
)
"""The columns of a passage in SQL, in the order of :data:`rag.index.columns.PASSAGE`."""

# A document's passages are inserted together and in order, so the first has the lowest key; its
# encoding is looked up only if the document begins with a heading.
_TOKENS = """
SELECT encoding.passage, encoding.counts, encoding.bits, passage.text, document.id, passage.start,
    first.leading,
    CASE WHEN first.leading THEN (SELECT counts FROM encoding WHERE passage = first.key) END,
    CASE WHEN first.leading THEN (SELECT bits FROM encoding WHERE passage = first.key) END
FROM encoding
JOIN passage ON passage.key = encoding.passage
JOIN document ON document.key = passage.document
JOIN passage AS first ON first.key = (
    SELECT min(key) FROM passage AS any WHERE any.document = passage.document
)
WHERE encoding.passage IN (SELECT value FROM json_each(?))
"""


class StoreReader:
    """The current contents of the store: every call sees all previous commits."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def generation(self) -> int:
        """Incremented by every commit."""
        return int(self._database.fact("generation"))

    @sound
    def files(
        self, paths: Iterable[str] | None = None, *, digests: Iterable[str] | None = None
    ) -> dict[str, FileRecord]:
        """Records of all files read, or of those with one of these paths or content digests."""
        given = {"path": paths, "digest": digests}
        values = {name: json.dumps([*some]) for name, some in given.items() if some is not None}
        where = [f"{name} IN (SELECT value FROM json_each(:{name}))" for name in values]  # noqa: S608
        rows = self._database.execute(
            f"SELECT {', '.join(columns.FILE)} FROM file"  # noqa: S608 (values apart)
            f" WHERE {' AND '.join(where) or 'TRUE'} ORDER BY path",
            values,
        )
        return {
            row[0]: columns.file_record(dict(zip(columns.FILE, row, strict=True)))
            for row in rows.fetchall()
        }

    @sound
    def file_reports(
        self, status: str | None = None, offset: int = 0, limit: int | None = None
    ) -> list[FileReport]:
        """Reports on all files read, or those with a status, by path; a page of them."""
        found = self._database.execute(
            f"SELECT path FROM file WHERE {_STATUS} ORDER BY path LIMIT :limit OFFSET :offset",  # noqa: S608 (our own)
            {"status": status, "limit": -1 if limit is None else limit, "offset": offset},
        )
        paths = [path for (path,) in found]
        rows = self._database.execute(
            "SELECT source.file, source.path, length(text), pages, warnings, language,"
            " (SELECT count(*) FROM passage WHERE passage.document = document.key)"
            " FROM source JOIN document ON document.key = source.document"
            " WHERE source.file IN (SELECT value FROM json_each(?)) ORDER BY source.path",
            (json.dumps(paths),),
        )
        names = ("file", "path", "characters", "pages", "warnings", "language", "passages")
        return columns.file_reports(
            self.files(paths), (dict(zip(names, row, strict=True)) for row in rows)
        )

    def count_files(self, status: str | None = None) -> int:
        """Number of files read, or of those with a status."""
        statement = f"SELECT count(*) FROM file WHERE {_STATUS}"  # noqa: S608 (our own)
        return int(self._database.value(statement, {"status": status}))

    @sound
    def unread(self) -> tuple[list[Failure], list[Failure]]:
        """What could not be read, and what was read with doubts (warnings), by path."""
        files = self._database.execute(
            "SELECT failures FROM file WHERE failures <> '[]' ORDER BY path"
        )
        failed = [one for (text,) in files for one in columns.failures({"failures": text})]
        doubtful = self._database.execute(
            "SELECT file, warnings FROM source JOIN document ON document.key = source.document"
            " WHERE warnings <> '[]' ORDER BY file, source.path"
        )
        return failed, [
            Failure(file, line) for file, lines in doubtful for line in json.loads(lines)
        ]

    def matching(self, conditions: Iterable[Filter]) -> Keys:
        """The keys of the passages of documents that meet all conditions, ascending."""
        clauses = map(as_sql, conditions)
        unique = dict.fromkeys((clause, tuple(values)) for clause, values in clauses)
        rows = self._database.execute(
            "SELECT key FROM passage WHERE document IN"  # noqa: S608 (values apart)
            f" (SELECT key FROM document WHERE {' AND '.join(clause for clause, _ in unique)})",
            [value for _, values in unique for value in values],
        )
        return np.sort(np.fromiter((key for (key,) in rows), dtype=np.int64))

    def sources(self, files: Iterable[str] | None = None) -> list[Source]:
        """All sources, or those in these files."""
        where, values = "", []
        if files is not None:
            where, values = "WHERE file IN (SELECT value FROM json_each(?))", [json.dumps([*files])]
        rows = self._database.execute(
            "SELECT path, file, id FROM source"  # noqa: S608 (values apart)
            f" JOIN document ON document.key = source.document {where}",
            values,
        )
        return [Source(*row) for row in rows.fetchall()]

    def has_document(self, document_id: str) -> bool:
        """Whether there is a document with that id."""
        return bool(self._database.value("SELECT 1 FROM document WHERE id = ?", (document_id,)))

    @sound
    def document(self, document_id: str) -> Document | None:
        """The document with that id, or None."""
        row = self._database.execute(
            f"SELECT {', '.join(columns.DOCUMENT)}, checksum,"  # noqa: S608 (our own)
            " (SELECT min(path) FROM source WHERE document = document.key)"
            " FROM document WHERE id = ?",
            (document_id,),
        ).fetchone()
        if row is None:
            return None
        *facts, source = row
        found = dict(zip((*columns.DOCUMENT, "checksum"), facts, strict=True))
        return columns.document(found, source and whole_source(source))

    def counts(self) -> Counts:
        """How much there is."""
        passages = self._database.value("SELECT count(*) FROM passage")
        languages = self._database.execute(
            "SELECT coalesce(language, ''), count(*) FROM document"  # noqa: S608 (our own)
            f" WHERE {WHOLE} GROUP BY language"
        )
        by_language = dict(languages.fetchall())
        sentences = int(self._database.fact("sentences"))
        return Counts(sum(by_language.values()), passages, sentences, by_language)

    def versions(self, after: int, limit: int) -> list[tuple[int, str, int]]:
        """Key, id and checksum of the first documents whose key is higher, by key."""
        return self._database.execute(
            "SELECT key, id, checksum FROM document WHERE key > ? ORDER BY key LIMIT ?",
            (after, limit),
        ).fetchall()

    def version(self, document_id: str) -> int | None:
        """The checksum of the document with that id, or None."""
        found = self._database.value("SELECT checksum FROM document WHERE id = ?", (document_id,))
        return None if found is None else int(found)

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key; deleted ones are left out."""
        return self._passages("passage.key IN (SELECT value FROM json_each(?))", _as_json(keys))

    def passage(self, passage_id: str) -> StoredPassage | None:
        """The passage with that id, or None."""
        return next(iter(self._passages("passage.id = ?", passage_id).values()), None)

    @sound
    def _passages(self, where: str, value: str) -> dict[int, StoredPassage]:
        found = {}
        rows = self._database.execute(
            "SELECT passage.key, content, title, date, metadata ->> '$.date_from',"  # noqa: S608
            " (SELECT json_group_array(path) FROM source WHERE document = document.key),"
            f" {_PASSAGE} FROM passage JOIN document ON document.key = passage.document"
            f" WHERE {where}",
            (value,),
        )
        for key, content, title, date, date_from, sources, *row in rows:
            passage = columns.passage(dict(zip(columns.PASSAGE, row, strict=True)))
            if content != content_key(passage):  # damaged content is never shown
                raise damaged(f"a passage of “{title}” doesn't match its checksum")
            found[key] = StoredPassage(
                key=key,
                passage=passage,
                title=title,
                date=columns.date(date),
                date_from=date_from,
                sources=tuple(sorted(set(map(whole_source, json.loads(sources))))),
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

    def passages_of(self, document_id: str) -> list[Passage]:
        """The passages of a document, in text order."""
        found = self._passages("document.id = ?", document_id).values()
        return sorted((one.passage for one in found), key=lambda one: one.start)

    @sound
    def encodings(self, passages: Sequence[Passage]) -> dict[int, PassageEncoding]:
        """Stored encodings of identical passages, by position in ``passages``."""
        positions = columns.positions_by_content(passages)
        found: dict[int, PassageEncoding] = {}
        dimension = self._database.dimension
        for content, text, start, sentences, vectors, counts, pieces, bits in self._rows(
            "SELECT content, text, start, sentences, vectors, counts, pieces, bits FROM passage"
            " JOIN encoding ON encoding.passage = passage.key"
            # Of many copies one is enough.
            " WHERE key IN (SELECT min(key) FROM passage"
            " WHERE content IN (SELECT value FROM json_each(?)) GROUP BY content)",
            list(positions),
        ):
            encoding = PassageEncoding(
                sentences=unpack_vectors(vectors, dimension),
                counts=np.frombuffer(counts, dtype=np.int32),
                pieces=np.frombuffer(pieces, dtype=np.int32),
                bits=columns.token_bits(bits, dimension),
            )
            row = {"text": text, "start": start, "sentences": sentences}
            for position in positions[content]:
                if columns.has_same_input(row, passages[position]):
                    found[position] = encoding
        return found

    @sound
    def sentences(self, keys: Sequence[int]) -> tuple[Keys, NDArray[np.int64], Vectors]:
        """Keys, numbers of sentences, and the vectors of all, shape (sentences, dimension)."""
        rows = self._rows(
            "SELECT passage, vectors FROM encoding"
            " WHERE passage IN (SELECT value FROM json_each(?))",
            keys,
        ).fetchall()
        lengths = np.array([len(blob) for _, blob in rows], dtype=np.int64)
        counts, cut = np.divmod(lengths, 2 * self._database.dimension)
        if cut.any():
            raise damaged("a vector is cut")
        vectors = unpack_vectors(b"".join(blob for _, blob in rows), self._database.dimension)
        return np.array([key for key, _ in rows], dtype=np.int64), counts, vectors

    def languages(self, keys: Sequence[int]) -> dict[int, str | None]:
        """Language of each passage's document by key."""
        rows = self._rows(
            "SELECT passage.key, language FROM passage"
            " JOIN document ON document.key = passage.document"
            " WHERE passage.key IN (SELECT value FROM json_each(?))",
            keys,
        )
        return dict(rows.fetchall())

    @sound
    def tokens(self, keys: Sequence[int]) -> dict[int, StoredTokens]:
        """Token bits by passage key; deleted passages are left out."""
        dimension = self._database.dimension
        found = {
            key: StoredTokens(
                key=key,
                counts=np.frombuffer(counts, dtype=np.int32),
                bits=columns.token_bits(bits, dimension),
                title=_title_bits(leading, of_first or b"", first or b"", dimension),
                text=text,
                place=(document, start),
            )
            for key, counts, bits, text, document, start, leading, of_first, first in self._rows(
                _TOKENS, keys
            ).fetchall()
        }
        if any(sum(one.counts.tolist()) != len(one.bits) for one in found.values()):
            raise damaged("a passage has more or fewer tokens than recorded")
        return found

    def _rows(self, statement: str, keys: Sequence[int] | Keys) -> Cursor:
        return self._database.execute(statement, (_as_json(keys),))


def _as_json(keys: Sequence[int] | Keys) -> str:
    """Keys as one parameter, since SQLite limits their number."""
    return json.dumps([int(key) for key in keys])


def _title_bits(leading: int, counts: bytes, bits: bytes, dimension: int) -> TokenBits:
    """The bits of the headings at the beginning of a document, from its first passage."""
    of_headings = np.frombuffer(counts, dtype=np.int32)[:leading]
    return columns.token_bits(bits, dimension)[: int(of_headings.sum())]
