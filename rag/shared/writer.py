"""Writing a shared library: what comes is held back until there is enough of it for a commit.

A commit to object storage costs some tenths of a second whatever is in it, so documents go in many
at a time: their rows first, then their passages, which are what is found, then those go that no
source holds any more. Each step may be done again, and a file is recorded as read after all of
them, so a run that was killed between two is put right by the next.

Two that write different documents at once don't meet. Where both find the same document in
different places at the same moment, the later one forgets the other's place, until ``--again``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rag.analysis import Analysis
from rag.shared import rows
from rag.shared.conditions import any_of, one_of
from rag.shared.lance_tables import Tables
from rag.store import FileRecord, Source
from rag.types import Document, Passage, PassageEncoding

TOGETHER = 512
"""Passages, or sources of documents that are there, in one commit."""


@dataclass(frozen=True, slots=True, eq=False)
class _Put:
    document: Document
    passages: Sequence[Passage]
    encodings: Sequence[PassageEncoding]


@dataclass(slots=True)
class _Waiting:
    """What is to be written next: documents by id, and sources in the order in which they came."""

    documents: dict[str, _Put] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)

    @property
    def passages(self) -> int:
        return sum(len(one.passages) for one in self.documents.values())


class SharedWriter:
    """As :class:`rag.engine.Writer` says. Any number of processes may write at once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._analysis = Analysis()
        self._waiting = _Waiting()

    def put(
        self,
        document: Document,
        source: Source,
        passages: Sequence[Passage],
        encodings: Iterable[PassageEncoding],
    ) -> None:
        """Store a document, and say where it was found."""
        self._waiting.documents[document.id] = _Put(document, passages, list(encodings))
        self._take([source])

    def point(self, sources: Sequence[Source]) -> None:
        """Say that sources hold documents that are there already."""
        self._take(sources)

    def settle(self, records: Sequence[tuple[FileRecord, Sequence[str]]]) -> list[str]:
        """Record files as read, each with the sources that were found in it now."""
        self.flush()
        present = {record.path: set(found) for record, found in records}
        held = self._held(any_of("files", present))
        gone = [
            source.path
            for one in held.values()
            for source in one.sources
            if source.file in present and source.path not in present[source.file]
        ]
        self._rearrange(held, [], frozenset(gone))
        self._tables.files.upsert([rows.file_row(record) for record, _ in records], "path")
        return sorted(gone)

    def remove(self, paths: Sequence[str], files: Sequence[str]) -> None:
        """Forget sources and files, and the documents that no other source holds."""
        self.flush()
        self._rearrange(self._held(any_of("paths", paths)), [], frozenset(paths))
        if files:
            self._tables.files.delete(one_of("path", files))

    def _take(self, sources: Sequence[Source]) -> None:
        self._waiting.sources += sources
        if max(self._waiting.passages, len(self._waiting.sources)) >= TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Commit what waits."""
        waiting, self._waiting = self._waiting, _Waiting()
        if not waiting.sources:
            return
        paths = [one.path for one in waiting.sources]
        ids = dict.fromkeys(one.document_id for one in waiting.sources)
        held = self._held(f"{any_of('paths', paths)} OR {one_of('id', ids)}")
        unknown = [one for one in ids if one not in held and one not in waiting.documents]
        if unknown:
            raise LookupError(f"document {unknown[0]} is not in the library")
        self._rearrange(held, waiting.sources, frozenset(paths), waiting.documents)

    def _held(self, where: str) -> dict[str, rows.Held]:
        """Where documents were found, by their ids."""
        found = self._tables.documents.rows(("id", "paths", "files"), where)
        return {row["id"]: rows.held(row) for row in found}

    def _rearrange(
        self,
        held: dict[str, rows.Held],
        sources: Sequence[Source],
        loose: frozenset[str],
        put: dict[str, _Put] | None = None,
    ) -> None:
        """Write documents, and where all of these are found now: what is ``loose`` is held by
        nothing more but what ``sources`` say, the last word counting.
        """
        put = put or {}
        latest = {one.path: one for one in sources}
        now = {
            id_: rows.Held(tuple(one for one in before.sources if one.path not in loose))
            for id_, before in held.items()
        }
        for source in latest.values():
            others = now.get(source.document_id, rows.Held(())).sources
            both = sorted({*others, source}, key=lambda one: one.path)
            now[source.document_id] = rows.Held(tuple(both))
        self._put({id_: one for id_, one in put.items() if id_ in now}, now)
        moved = {
            id_: one
            for id_, one in now.items()
            if one.sources and id_ not in put and one != held.get(id_)
        }
        self._move(moved)
        self._drop([id_ for id_, one in now.items() if not one.sources and id_ in held])

    def _put(self, put: dict[str, _Put], now: dict[str, rows.Held]) -> None:
        put = {id_: one for id_, one in put.items() if now[id_].sources}
        if not put:
            return
        tables = self._tables
        tables.documents.upsert(
            [rows.document_row(one.document, now[id_], one.passages) for id_, one in put.items()],
            "id",
        )
        tables.passages.upsert(
            [
                row
                for id_, one in put.items()
                if one.passages
                for row in rows.passage_rows(
                    one.document, now[id_], one.passages, one.encodings, self._analysis
                )
            ],
            "id",
            instead_of=one_of("document", put),
        )

    def _move(self, moved: dict[str, rows.Held]) -> None:
        if not moved:
            return
        tables = self._tables
        columns = {id_: one.columns() for id_, one in moved.items()}
        tables.documents.amend([{"id": id_, **one} for id_, one in columns.items()], "id")
        tables.passages.amend(
            [
                {"document": id_, "sources": one["paths"], "located": one["located"]}
                for id_, one in columns.items()
            ],
            "document",
        )

    def _drop(self, ids: Sequence[str]) -> None:
        if ids:
            tables = self._tables
            tables.passages.delete(one_of("document", ids))
            tables.documents.delete(one_of("id", ids))
