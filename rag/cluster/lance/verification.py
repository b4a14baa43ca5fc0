"""Verify a shared library by comparing its tables.

Documents are the ground truth, each with a checksum. Other columns and tables are derived from
them, so they are recomputed and compared; encodings have a checksum per passage. Others may write
meanwhile: an apparent problem is checked again before it is reported, since a document is written a
moment before its passages.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rag.cluster.lance import indexes, publication, rows, statistics
from rag.cluster.lance.filter_sql import one_of
from rag.cluster.lance.rows import DocumentSources
from rag.cluster.lance.tables import Tables
from rag.cluster.lance.writer import SharedWriter
from rag.errors import LibraryDamaged, LibraryError
from rag.index import columns
from rag.index.columns import Row
from rag.index.integrity import (
    REPAIR,
    Fault,
    OnProgress,
    after_repair,
    passage_faults,
)
from rag.text.analyzers import Analysis
from rag.text.chunking import passages as broken
from rag.types import Document
from rag.types.protocols import Embedder
from rag.types.reports import Problem, Verification

TOGETHER = 32
"""Documents checked per batch."""

TRIES, PAUSE = 3, 2.0
"""Number of checks of an apparent problem, and seconds between them."""

_COPY = "go back to an earlier version (rag restore), or index your documents into a new library"
_CONDITIONS = ("title", "date", "date_from", "folded", "language", "facts", "located")
_OF_DOCUMENTS = (
    *(*columns.DOCUMENT, "paths", "files", "checksum", "page_count", "characters"),
    *("passages", "sentences", *_CONDITIONS),
)
_DERIVED = ("stems", "context", "literal", "sources", *_CONDITIONS)
_OF_PASSAGES = (*rows.PASSAGE, *rows.ENCODING, *_DERIVED, "title_bits", "checksum")


def verify(
    tables: Tables,
    writer: SharedWriter,
    embedder: Embedder,
    on_progress: OnProgress,
    *,
    repair: bool,
) -> Verification:
    """Check everything, and with ``repair`` rebuild what can be rebuilt.

    Raises
    ------
    LibraryError
        If the library can't be read, or can't be written for a repair.
    """
    began = time.perf_counter()
    check = _Check(tables, on_progress)
    found = check.problems()
    if repair and found:
        _repair(tables, writer, embedder, found)
        found = after_repair(found, check.problems())
    documents = tables.documents.rows(("sentences",))
    return Verification(
        documents=len(documents),
        passages=tables.passages.count(),
        sentences=sum(row["sentences"] for row in documents),
        problems=tuple(found),
        seconds=time.perf_counter() - began,
    )


class _Check:
    """Looks for problems in all tables."""

    def __init__(self, tables: Tables, on_progress: OnProgress) -> None:
        self._tables = tables
        self._on_progress = on_progress
        self._analysis = Analysis()

    def problems(self) -> list[Problem]:
        """All problems found."""
        ids = [row["id"] for row in self._tables.documents.rows(("id",))]
        passages = self._tables.passages.each(("document",))
        there = sorted({*ids, *(row["document"] for row in passages)})
        found: list[Fault] = []
        for start in range(0, len(there), TOGETHER):
            found += self._of(there[start : start + TOGETHER])
            self._on_progress("documents", min(start + TOGETHER, len(there)), len(there))
        for _ in range(TRIES - 1):
            if found:
                time.sleep(PAUSE)
                again = set(self._of(sorted({one.document for one in found})))
                found = [one for one in found if one in again]
        twice = [id_ for id_, number in Counter(ids).items() if number > 1]
        found += [Fault("it is stored twice", id_, text=True) for id_ in twice]
        affected = one_of("id", dict.fromkeys(one.document for one in found))
        held = rows.sources_of(self._tables.documents.rows(("id", "paths", "files"), affected))
        sources = {source.document_id: source.path for source in reversed(held)}
        problems = [
            one.problem(sources.get(one.document, ""))
            if one.document
            else Problem(one.what, _COPY, kind="restore")
            for one in found
        ]
        self._on_progress("indexes", 0, 1)
        problems += [Problem(what, REPAIR) for what in self._derived()]
        self._on_progress("indexes", 1, 1)
        return problems

    def _of(self, ids: Sequence[str]) -> list[Fault]:
        """Problems of these documents."""
        try:
            held = {
                row["id"]: row
                for row in self._tables.documents.rows(_OF_DOCUMENTS, one_of("id", ids))
            }
            of_documents: dict[str, list[Row]] = {}
            for row in self._tables.passages.rows(_OF_PASSAGES, one_of("document", ids)):
                of_documents.setdefault(row["document"], []).append(row)
        except LibraryError as error:
            return [Fault(str(error))]
        return [
            fault
            for id_ in ids
            for fault in self._document(id_, held.get(id_), of_documents.get(id_, []))
        ]

    def _document(self, id_: str, row: Row | None, passages: list[Row]) -> Iterator[Fault]:
        passages.sort(key=lambda one: int(one["start"]))
        if row is None:
            yield Fault(f"{len(passages):,} passages belong to no document", id_)
            return
        try:
            document = rows.document(row)
        except LibraryDamaged:
            yield Fault("its text or metadata doesn't match its checksum", id_, text=True)
            return
        if not row["paths"]:
            yield Fault("it has no source", id_, text=True)
        faults = [what for one in passages for what in self._passage(document, one)]
        for what in dict.fromkeys(faults):
            yield Fault(f"a passage of it {what}", id_)
        if len({one["id"] for one in passages}) < len(passages):
            yield Fault("it has a passage twice", id_)
        if len(passages) != row["passages"]:
            yield Fault(f"it has {len(passages):,} passages and not {row['passages']:,}", id_)
        elif not faults:
            yield from self._compare_columns(document, row, passages)

    def _passage(self, document: Document, row: Row) -> Iterator[str]:
        if row["checksum"] != rows.signature(row):
            yield "doesn't match its checksum"
        dimension = self._tables.passages.dimension
        yield from passage_faults(document.text, rows.with_plain_vectors(row), dimension)

    def _compare_columns(
        self, document: Document, row: Row, passages: Sequence[Row]
    ) -> Iterator[Fault]:
        """Compare filter columns and stems with the text they are derived from."""
        held, whole = DocumentSources.of(row), list(map(columns.passage, passages))
        expected = rows.document_row(document, held, whole)
        if any(row[name] != expected[name] for name in row if name != "id"):
            yield Fault("its filter columns don't match its metadata", document.id)
        if not passages:
            return
        encodings = list(map(rows.encoding, passages))
        made = rows.passage_rows(document, held, whole, encodings, self._analysis)
        if any(
            one[name] != other[name]
            for one, other in zip(passages, made, strict=True)
            for name in _DERIVED
        ):
            yield Fault("its index terms don't match its text", document.id)

    def _derived(self) -> Iterator[str]:
        """Problems of term counts and indexes, as of the end of the last run that updated them; a
        later run may still be in progress.
        """
        now, terms = self._tables.passages, self._tables.terms.each(("term", "passages"))
        stored = {row["term"]: row["passages"] for row in terms}
        counted_of = stored.get(statistics.VERSION)
        if counted_of is None:
            if now.count():
                yield "terms were never counted"
            return
        passages = now.at(counted_of)
        if passages is None:
            return  # the version has been deleted
        counts = statistics.count_terms(passages.each(statistics.COLUMNS))
        counts[statistics.VERSION] = counted_of
        differing = set(counts.items()) ^ set(stored.items())
        if differing:
            yield f"{len({term for term, _ in differing}):,} term counts are wrong"
        at_the_end = indexes.lacking(passages)
        for name, lacks in indexes.lacking(now).items():
            # Rows added since are in no index yet.
            if at_the_end.get(name) or lacks == now.count() > 0:
                yield f"{lacks:,} passages are not in the index {name}"


def _repair(
    tables: Tables, writer: SharedWriter, embedder: Embedder, found: Iterable[Problem]
) -> None:
    """Rebuild what can be rebuilt; mark the rest to be read again by the next run."""
    lost = {one.document for one in found if one.kind == "reread"}
    for id_ in dict.fromkeys(one.document for one in found if one.document):
        held = tables.documents.rows(_OF_DOCUMENTS, one_of("id", [id_]))
        row = held[0] if held else None
        if row is None:
            tables.passages.delete(one_of("document", [id_]))
        elif id_ in lost:
            files = tables.files.rows(columns.FILE, one_of("path", row["files"]))
            tables.files.upsert([{**one, "reader": "0"} for one in files], "path")
        else:
            document = rows.document(row)
            made = broken(document, embedder)
            tables.passages.delete(one_of("document", [id_]))
            for source in rows.sources_of([row])[:1]:
                writer.put(document, source, made, embedder.passages(made))
            writer.flush()
    publication.publish(tables, force=True)
