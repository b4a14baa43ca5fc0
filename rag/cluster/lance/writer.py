"""Write to a shared library, buffering changes until there are enough for a commit.

A commit to object storage takes some tenths of a second whatever its size, so documents are written
in batches: first their rows, then their passages, which makes them searchable; then documents
without a remaining source are deleted. Every step is idempotent, and a file is recorded as read
after all of them, so the next run repairs one that was killed in between.

Writers may run concurrently, even on the same documents. A document's row has its sources and a
revision: it is written only if it is still the one that was read (optimistic concurrency), and
otherwise read again, so that no writer's sources are lost. Passages follow: a later revision is
never replaced by an earlier one. A document without sources keeps its row until its passages are
deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.cluster.lance import rows
from rag.cluster.lance.filter_sql import any_of, one_of, quote
from rag.cluster.lance.rows import DocumentSources
from rag.cluster.lance.tables import Tables
from rag.errors import LibraryBusy
from rag.index.columns import file_columns
from rag.index.records import FileRecord, Source
from rag.text.analyzers import Analysis
from rag.types import Document, Passage, PassageEncoding

TOGETHER = 512
"""Passages, or sources of existing documents, per commit."""

ATTEMPTS = 20
"""Maximum attempts to write a document that others write, too."""

_AS_SEEN = "target.revision = source.seen"
_OLDER = "target.revision < source.revision"

_NOWHERE = "coalesce(array_length(paths), 0) = 0"
"""Condition: documents being deleted, or left over when a writer was killed."""


@dataclass(frozen=True, slots=True, eq=False)
class _NewDocument:
    document: Document
    passages: Sequence[Passage]
    encodings: Sequence[PassageEncoding]


class SharedWriter:
    """Implements :class:`rag.index.engine.Writer`. Any number of processes may write
    concurrently.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._analysis = Analysis()
        self._documents: dict[str, _NewDocument] = {}
        self._sources: list[Source] = []

    def put(
        self,
        document: Document,
        source: Source,
        passages: Sequence[Passage],
        encodings: Iterable[PassageEncoding],
    ) -> None:
        """Store a document with a source."""
        self._documents[document.id] = _NewDocument(document, passages, list(encodings))
        self.add_sources([source])

    def add_sources(self, sources: Sequence[Source]) -> None:
        """Add sources for existing documents."""
        self._sources += sources
        passages = sum(len(one.passages) for one in self._documents.values())
        if max(passages, len(self._sources)) >= TOGETHER:
            self.flush()

    def record_files(self, records: Sequence[tuple[FileRecord, Sequence[str]]]) -> list[str]:
        """Record files as read, each with the sources now found in it."""
        self.flush()
        present = {record.path: set(found) for record, found in records}
        current = self._sources_of(f"{any_of('files', present)} OR {_NOWHERE}")
        gone = [
            source.path
            for one in current.values()
            for source in one.sources
            if source.file in present and source.path not in present[source.file]
        ]
        self._rearrange(current, [], frozenset(gone), {})
        self._tables.files.upsert([file_columns(record) for record, _ in records], "path")
        return sorted(gone)

    def remove(self, paths: Sequence[str], files: Sequence[str]) -> None:
        """Delete sources and files, and the documents without any other source."""
        self.flush()
        current = self._sources_of(f"{any_of('paths', paths)} OR {_NOWHERE}")
        self._rearrange(current, [], frozenset(paths), {})
        if files:
            self._tables.files.delete(one_of("path", files))

    def flush(self) -> None:
        """Commit buffered changes."""
        documents, sources = self._documents, self._sources
        self._documents, self._sources = {}, []
        if sources:
            paths = [one.path for one in sources]
            ids = dict.fromkeys(one.document_id for one in sources)
            current = self._sources_of(f"{any_of('paths', paths)} OR {one_of('id', ids)}")
            self._rearrange(current, sources, frozenset(paths), documents)

    def _sources_of(self, where: str) -> dict[str, DocumentSources]:
        """Sources of the documents that match a condition, by id."""
        found = self._tables.documents.rows(("id", "paths", "files", "revision", "seen"), where)
        return {row["id"]: DocumentSources.of(row) for row in found}

    def _rearrange(
        self,
        current: dict[str, DocumentSources],
        sources: Sequence[Source],
        loose: frozenset[str],
        put: dict[str, _NewDocument],
    ) -> None:
        """Write documents and their current sources: every path in ``loose`` is detached unless
        ``sources`` attaches it; the last one for a path wins.
        """
        latest = {one.path: one for one in sources}
        touched = {one.document_id for one in latest.values()}
        touched |= {id_ for id_, one in current.items() if not one.sources}
        written: dict[str, DocumentSources] = {}
        for _ in range(ATTEMPTS):
            now = self._now(current, latest, loose, put)
            self._write(now, put)
            written |= now
            current = self._sources_of(one_of("id", now))
            behind = {id_ for id_ in now if not _is_current(id_, current.get(id_), latest, loose)}
            if not behind:
                self._follow(touched | written.keys(), written, put)
                return
            # Others changed these after we read them, and their change stands: retry on top of it.
            current = {id_: one for id_, one in current.items() if id_ in behind}
            latest = {path: one for path, one in latest.items() if one.document_id in behind}
        raise LibraryBusy(
            f"other processes keep writing the same documents to {self._tables.url}; try again "
            "when they are done"
        )

    def _now(
        self,
        current: dict[str, DocumentSources],
        latest: dict[str, Source],
        loose: frozenset[str],
        put: dict[str, _NewDocument],
    ) -> dict[str, DocumentSources]:
        """The documents to write, with their new sources."""
        found = {
            id_: [one for one in before.sources if one.path not in loose]
            for id_, before in current.items()
        }
        for source in latest.values():
            if source.document_id not in found and source.document_id not in put:
                raise LibraryBusy(
                    f"the document in {source.path} was removed from {self._tables.url} by others a"
                    " moment ago; index it again"
                )
            found.setdefault(source.document_id, []).append(source)
        now = {
            id_: current.get(id_, DocumentSources(())).changed(one) for id_, one in found.items()
        }
        return {
            id_: one
            for id_, one in now.items()
            if (id_ in put and one.sources) or (id_ in current and one != current[id_])
        }

    def _write(self, now: dict[str, DocumentSources], put: dict[str, _NewDocument]) -> None:
        """Write documents, except those that others changed since they were read."""
        whole = {id_: one for id_, one in now.items() if id_ in put and one.sources}
        documents = self._tables.documents
        documents.upsert(
            [
                rows.document_row(put[id_].document, one, put[id_].passages)
                for id_, one in whole.items()
            ],
            "id",
            only_if=_AS_SEEN,
        )
        documents.amend(
            [{"id": id_, **one.columns()} for id_, one in now.items() if id_ not in whole],
            "id",
            only_if=_AS_SEEN,
        )

    def _follow(
        self,
        touched: Iterable[str],
        written: dict[str, DocumentSources],
        put: dict[str, _NewDocument],
    ) -> None:
        """Update passages to match their documents, and delete documents without sources."""
        tables = self._tables
        whole = {id_: put[id_] for id_, one in written.items() if id_ in put and one.sources}
        tables.passages.upsert(
            [
                row
                for id_, one in whole.items()
                if one.passages
                for row in rows.passage_rows(
                    one.document, written[id_], one.passages, one.encodings, self._analysis
                )
            ],
            "id",
            instead_of=one_of("document", whole) if whole else None,
            only_if=_OLDER,
        )
        # Read again: others may have changed a document before its passages were written.
        existing = self._sources_of(one_of("id", touched))
        moved = {
            id_: one
            for id_, one in existing.items()
            if one.sources and not (id_ in whole and one.revision == written[id_].revision)
        }
        tables.passages.amend(
            [{"document": id_, **one.of_passages()} for id_, one in moved.items()],
            "document",
            only_if=_OLDER,
        )
        gone = {id_: one for id_, one in existing.items() if not one.sources}
        gone |= {id_: one for id_, one in written.items() if id_ not in existing}
        if gone:
            tables.passages.delete(_not_newer("document", "<=", gone))
            tables.documents.delete(_not_newer("id", "=", gone))


def _is_current(
    document: str,
    existing: DocumentSources | None,
    latest: dict[str, Source],
    loose: frozenset[str],
) -> bool:
    """Whether a document has all sources attached here, and none of the detached ones."""
    paths = {one.path for one in existing.sources} if existing else set()
    mine = {path for path, one in latest.items() if one.document_id == document}
    return mine <= paths and not paths & (loose - mine)


def _not_newer(column: str, how: str, documents: dict[str, DocumentSources]) -> str:
    """Condition: rows of these documents, compared by revision."""
    return " OR ".join(
        f"({column} = {quote(id_)} AND revision {how} {one.revision})"
        for id_, one in documents.items()
    )
