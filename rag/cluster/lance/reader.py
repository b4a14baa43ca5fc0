"""Read the current contents of a shared library, document by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from rag.cluster.lance import rows
from rag.cluster.lance.filter_sql import any_of, in_batches, one_of, quote
from rag.cluster.lance.tables import Tables
from rag.index import columns
from rag.index.columns import Row
from rag.index.records import FileRecord, Source, StoredPassage
from rag.types import Document, Failure, Passage, PassageEncoding
from rag.types.reports import FileReport

_REPORTED = ("id", "paths", "files", "pages", "characters", "warnings", "language", "passages")
_COUNTED = ("passages", "sentences")


class SharedReader:
    """Implements :class:`rag.index.engine.Reader`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._counted: tuple[int, tuple[int, int, int]] | None = None

    @property
    def generation(self) -> int:
        """The sum of the versions of documents, passages and files."""
        tables = self._tables
        return sum(one.version for one in (tables.documents, tables.passages, tables.files))

    def counts(self) -> tuple[int, int, int]:
        """Number of documents, passages and sentences."""
        documents = self._tables.documents
        if self._counted is None or self._counted[0] != documents.version:
            found = documents.rows((*_COUNTED, "paths"))
            passages, sentences = (sum(int(row[name]) for row in found) for name in _COUNTED)
            self._counted = documents.version, (sum(map(rows.is_whole, found)), passages, sentences)
        return self._counted[1]

    def languages(self) -> dict[str, int]:
        """Number of documents per language."""
        found = self._tables.documents.rows(("language", "paths"))
        return dict(Counter(row["language"] or "" for row in found if rows.is_whole(row)))

    def has_document(self, document_id: str) -> bool:
        """Whether a document is stored completely: a writer may have been killed between writing
        its row and its passages.
        """
        return document_id in self.whole([document_id])

    def whole(self, document_ids: Sequence[str]) -> frozenset[str]:
        """The complete ones among ``document_ids``, in one request."""
        if not document_ids:
            return frozenset()
        documents = self._tables.documents.rows(("id", "passages"), one_of("id", document_ids))
        passages = self._tables.passages.rows(("document",), one_of("document", document_ids))
        there = Counter(row["document"] for row in passages)
        return frozenset(row["id"] for row in documents if row["passages"] == there[row["id"]])

    def document(self, document_id: str) -> Document | None:
        """The document with this id; None if there is none."""
        wanted = (*columns.DOCUMENT, "paths", "checksum")
        found = self._tables.documents.rows(wanted, f"id = {quote(document_id)}")
        return rows.document(found[0]) if found else None

    def passages_of(self, document_id: str) -> list[Passage]:
        """The passages of a document, in text order."""
        found = self._tables.passages.rows(rows.PASSAGE, f"document = {quote(document_id)}")
        return sorted(map(columns.passage, found), key=lambda one: one.start)

    def passages(self, keys: Sequence[int]) -> dict[int, StoredPassage]:
        """Passages by key."""
        found = self._tables.passages.take(keys, rows.PASSAGE)
        return {key: rows.stored_passage(key, row) for key, row in found.items()}

    def encodings(self, passages: Sequence[Passage]) -> dict[int, PassageEncoding]:
        """Stored encodings of passages with the same text and sentences, by position."""
        positions = columns.positions_by_content(passages)
        where = f"content IN ({', '.join(map(str, positions))})"
        return {
            position: rows.encoding(row)
            for row in self._tables.passages.rows(rows.ENCODING, where)
            for position in positions[row["content"]]
            if columns.has_same_input(row, passages[position])
        }

    def sources(self, files: Iterable[str] | None = None) -> list[Source]:
        """All sources, or those in these files."""
        documents, names = self._tables.documents, ("id", "paths", "files")
        if files is None:
            return rows.sources_of(documents.rows(names))
        wanted = set(files)
        found = {
            row["id"]: row
            for some in in_batches(wanted)
            for row in documents.rows(names, any_of("files", some))
        }
        return [one for one in rows.sources_of(found.values()) if one.file in wanted]

    def files(self, paths: Iterable[str] | None = None) -> dict[str, FileRecord]:
        """Records of all files read, or of those with these paths, by path."""
        found = self._tables.files.rows(columns.FILE) if paths is None else self._of("path", paths)
        return {record.path: record for record in map(columns.file_record, found)}

    def files_with(self, digests: Iterable[str]) -> list[FileRecord]:
        """Records of files that had one of these contents, by path."""
        found = map(columns.file_record, self._of("digest", digests))
        return sorted(found, key=lambda record: record.path)

    def _of(self, column: str, values: Iterable[str]) -> list[Row]:
        """Rows of files with one of the values in ``column``."""
        files = self._tables.files
        return [
            row
            for some in in_batches(values)
            for row in files.rows(columns.FILE, one_of(column, some))
        ]

    def files_with_warnings(self) -> frozenset[str]:
        """Files with a document that has warnings."""
        found = self._tables.documents.rows(("files",), "warnings <> '[]'")
        return frozenset(file for row in found for file in row["files"])

    def file_reports(
        self, status: str | None = None, offset: int = 0, limit: int | None = None
    ) -> list[FileReport]:
        """Reports on all files read, or those with a status, by path; a page of them."""
        documents = self._tables.documents.rows(_REPORTED)
        reports = columns.file_reports(
            self.files(),
            (
                {**row, "file": file, "path": min(row["paths"])}
                for row in documents
                for file in row["files"]
            ),
        )
        last = None if limit is None else offset + limit
        return list(islice((one for one in reports if status in {None, one.status}), offset, last))

    def count_files(self, status: str | None = None) -> int:
        """Number of files read, or of those with a status."""
        return len(self.file_reports(status))

    def unread(self) -> tuple[list[Failure], list[Failure]]:
        """What could not be read, and what was read with doubts (warnings), by path."""
        reports = self.file_reports()
        return [failure for one in reports for failure in one.failures], [
            Failure(one.source, line) for one in reports for line in one.warnings
        ]
