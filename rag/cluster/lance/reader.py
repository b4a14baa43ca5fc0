"""Read the current contents of a shared library, document by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from rag.cluster.lance import rows
from rag.cluster.lance.filter_sql import any_of, in_batches, one_of, quote
from rag.cluster.lance.tables import Tables
from rag.index import columns
from rag.index.records import Counts, FileRecord, Source, StoredPassage
from rag.types import Document, Failure, Passage, PassageEncoding
from rag.types.reports import FileReport

_REPORTED = ("id", "paths", "files", "pages", "characters", "warnings", "language", "passages")
_COUNTED = ("passages", "sentences")


class SharedReader:
    """Implements :class:`rag.index.engine.Reader`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._counted: tuple[int, Counts] | None = None

    @property
    def generation(self) -> int:
        """The sum of the versions of documents, passages and files."""
        tables = self._tables
        return sum(one.version for one in (tables.documents, tables.passages, tables.files))

    def counts(self) -> Counts:
        """How much there is."""
        documents = self._tables.documents
        if self._counted is None or self._counted[0] != documents.version:
            found = documents.rows((*_COUNTED, "language", "paths"))
            passages, sentences = (sum(int(row[name]) for row in found) for name in _COUNTED)
            languages = Counter(row["language"] or "" for row in found if rows.is_whole(row))
            counts = Counts(languages.total(), passages, sentences, languages)
            self._counted = documents.version, counts
        return self._counted[1]

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

    def passage(self, passage_id: str) -> StoredPassage | None:
        """The passage with this id; None if there is none."""
        found = self._tables.passages.keyed(rows.PASSAGE, f"id = {quote(passage_id)}")
        return next((rows.stored_passage(key, row) for key, row in found.items()), None)

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

    def files(
        self, paths: Iterable[str] | None = None, *, digests: Iterable[str] | None = None
    ) -> dict[str, FileRecord]:
        """Records of all files read, or of those with one of these paths or content digests."""
        files = self._tables.files
        column, values = ("path", paths) if digests is None else ("digest", digests)
        wheres = [None] if values is None else [one_of(column, some) for some in in_batches(values)]
        found = [row for where in wheres for row in files.rows(columns.FILE, where)]
        records = sorted(map(columns.file_record, found), key=lambda record: record.path)
        return {record.path: record for record in records}

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
