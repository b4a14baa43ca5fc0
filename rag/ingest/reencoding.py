"""Re-encode a library with another model, from the documents that it holds.

A second store is filled beside the first, which answers until the second has everything: documents
with passages cut for the new model, whose tokens and window decide where they end; then sources,
files, notes and ratings, and the search indexes. One rename of its folder replaces the first store
with it. Documents are committed batch by batch, so an interrupted run is resumed, unless it is for
a third model.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rag.errors import LibraryDamaged, LibraryMismatch, LibraryNotFound
from rag.index.folder import STORE, locked, next_store, remove_superseded
from rag.index.local_engine import EmbeddedEngine
from rag.index.records import Source
from rag.index.sqlite.database import Database
from rag.ingest.passage_encoder import Encoder
from rag.runtime.files import sync_folder, writing
from rag.runtime.heartbeat import Heartbeat, run_reporting, with_beats
from rag.text.chunking import passages
from rag.types import Document, Passage, PassageEncoding
from rag.types.protocols import Embedder
from rag.types.reports import Progress

PASSAGES_TOGETHER = 512
"""Passages handed to the model at a time, enough to batch texts of similar length."""

CHARACTERS_TOGETHER = 1_000_000
"""Maximum characters of documents in memory for that, plus one document."""

DOCUMENTS_LISTED = 1_000
"""Documents compared with the draft at a time."""


def reencode(
    engine: EmbeddedEngine,
    embedder: Embedder,
    notes: Mapping[str, str | None],
    heartbeat: Heartbeat,
) -> bool:
    """Replace the store of a library by one of another model, which a new engine then opens.

    ``notes`` are those that differ in the new store. Returns whether the library had another model.
    Raises LibraryBusy if another process keeps writing, LibraryMismatch if it has re-encoded the
    library, LibraryDamaged if a document can't be read, or another LibraryError if the disk is
    full, say.
    """
    with locked(engine.location, beat=heartbeat):
        engine.require_newest()
        remove_superseded(engine.location)
        successor = next_store(engine.location)
        draft = successor.with_name(f"{successor.name}.draft")
        total = int(engine.database.value("SELECT count(*) FROM document"))
        changed = not engine.has_model(embedder.fingerprint)
        if not changed or not total:
            shutil.rmtree(draft, ignore_errors=True)  # of an interrupted run, no longer wanted
            if changed:
                engine.database.adopt(embedder.fingerprint, notes)
            return changed
        if not _is_of(draft, embedder):
            _create(draft, engine, embedder)
        with closing(EmbeddedEngine(engine.location, embedder.dimension, draft)) as new:
            _Filling(engine, new, embedder, heartbeat, total).run()
            new.writer.copy_sources(engine.database, heartbeat)
            heartbeat.enter("publishing")
            new.snapshots.publish(heartbeat)
            # Nobody rates a hit meanwhile: who waits to do so then sees that this store is not
            # the library's any more.
            with engine.database.change() as connection, writing(engine.location):
                new.writer.copy_notes(engine.database, notes)
                new.close()
                draft.rename(successor)
                sync_folder(engine.location)
                connection.execute("UPDATE meta SET value = '' WHERE name = 'fingerprint'")
        remove_superseded(engine.location)
        return True


@dataclass(frozen=True, slots=True)
class _Cut:
    """A document, and its passages for the new model."""

    document: Document
    passages: Sequence[Passage]


class _Filling:
    """Encodes the documents that the new store lacks, of ``total`` in the old one."""

    def __init__(
        self,
        old: EmbeddedEngine,
        new: EmbeddedEngine,
        embedder: Embedder,
        heartbeat: Heartbeat,
        total: int,
    ) -> None:
        self._old, self._new = old, new
        self._embedder = embedder
        self._heartbeat = heartbeat
        self._total = total
        self._encoder = Encoder(embedder, new.reader, heartbeat)
        self._done = self._passages = 0
        heartbeat.follow(self._progress)

    def run(self) -> None:
        """Encode and commit them: one batch is committed while the model is at the next."""
        self._heartbeat.enter("re-encoding")
        with closing(self._encoder):
            before: list[_Cut] = []
            encodings: Iterator[PassageEncoding] = iter(())
            for batch in self._batches():
                begun = self._encoder.begin([one for cut in batch for one in cut.passages])
                self._commit(before, encodings)
                before, encodings = batch, begun
            self._commit(before, encodings)

    def _batches(self) -> Iterator[list[_Cut]]:
        """The missing documents, cut, in batches of bounded size."""
        batch: list[_Cut] = []
        held = characters = 0
        for document in self._missing():
            cut = self._cut(document)
            batch.append(_Cut(document, cut))
            self._passages += len(cut)
            held, characters = held + len(cut), characters + len(document.text)
            if held >= PASSAGES_TOGETHER or characters >= CHARACTERS_TOGETHER:
                yield batch
                batch, held, characters = [], 0, 0
        yield batch

    def _cut(self, document: Document) -> list[Passage]:
        def wait(done: int | None = None, total: int = 0) -> None:  # noqa: ARG001 (as a Beat)
            self._heartbeat()  # which goes on counting documents, not characters

        return run_reporting(lambda beat: passages(document, self._embedder, beat=beat), wait)

    def _missing(self) -> Iterator[Document]:
        """The documents that the new store lacks or has in an earlier version, in their order."""
        key = 0
        while listed := self._old.reader.versions(key, DOCUMENTS_LISTED):
            for key, document_id, version in listed:  # noqa: B007 (the last one is where to go on)
                document = None
                if self._new.reader.version(document_id) != version:
                    document = self._old.reader.document(document_id)
                if document:
                    yield document
                else:
                    self._advance()

    def _commit(self, batch: Sequence[_Cut], encodings: Iterator[PassageEncoding]) -> None:
        for one in batch:
            made = list(islice(encodings, len(one.passages)))
            # Its sources follow at the end. Until then its id is one that no other document has.
            source = Source(one.document.id, one.document.id, one.document.id)
            beats = with_beats(made, self._heartbeat)
            self._new.writer.put(one.document, source, one.passages, beats)
            self._advance()

    def _advance(self) -> None:
        self._done += 1
        self._heartbeat(self._done, self._total)

    def _progress(self) -> Progress:
        encoder = self._encoder
        return Progress(
            files_done=0,
            files=0,
            passages=self._passages,
            embedded=encoder.embedded,
            reused=encoder.reused,
            source="",
            done=self._done,
            total=self._total,
        )


def _is_of(draft: Path, embedder: Embedder) -> bool:
    """Whether an interrupted run has left a draft for this model."""
    try:
        with closing(Database(draft / STORE, embedder.dimension)) as database:
            database.check(embedder.fingerprint)
    except (LibraryNotFound, LibraryMismatch, LibraryDamaged):
        return False
    return True


def _create(draft: Path, old: EmbeddedEngine, embedder: Embedder) -> None:
    """Create an empty store in a draft folder, with the permissions of the old one."""
    with writing(old.location):
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        shutil.copymode(old.location, draft)
        Database.create(draft / STORE, embedder.fingerprint)
        shutil.copymode(old.store / STORE, draft / STORE)
