"""Queue of documents to be encoded and committed one by one.

It is double-buffered. While the model encodes one batch, the next is gathered; once that is large
enough, it is handed to the model and the encoded one is committed. So the model never waits as long
as there is work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import cast

import numpy as np

from rag.index.engine import Writer
from rag.index.records import FileRecord, Source
from rag.ingest.passage_encoder import Encoder
from rag.types import Document, Passage, PassageEncoding
from rag.types.arrays import Vectors

PASSAGES_TOGETHER = 512
"""Passages gathered while the model is busy: enough to batch texts of similar length, few enough
that a crash costs seconds."""

PASSAGES_AT_ONCE = 64
"""… and while it is idle."""

CHARACTERS_TOGETHER = 1_000_000
"""Maximum characters of documents gathered, plus one document."""

FILES_TOGETHER = 256
"""Files recorded as read in one transaction if nothing needs the model."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A document not stored yet, with every source that has it."""

    document: Document
    passages: list[Passage]
    sources: list[Source]


@dataclass(slots=True)
class _Batch:
    """Documents by id, sources of documents already stored, and records of files that end here."""

    documents: dict[str, Pending] = field(default_factory=dict)
    more_sources: list[Source] = field(default_factory=list)
    records: list[tuple[FileRecord, list[str]]] = field(default_factory=list)
    passages: int = 0
    characters: int = 0


@dataclass(slots=True)
class EncodeQueue:
    """The queue between reading and the store; call :meth:`finish` at the end.

    ``on_stored`` is called for each document committed, ``on_lost`` with sources that a file no
    longer contains.
    """

    encoder: Encoder
    writer: Writer
    on_stored: Callable[[Pending], None]
    on_lost: Callable[[list[str]], None]

    _gathered: _Batch = field(default_factory=_Batch)
    _encoding: _Batch = field(default_factory=_Batch)
    _encodings: Iterator[PassageEncoding] = field(default_factory=lambda: iter(()))

    def pending(self, document_id: str) -> Pending | None:
        """The queued document with that id, if any; more sources may be added to it."""
        return self._gathered.documents.get(document_id) or self._encoding.documents.get(
            document_id
        )

    def put(self, pending: Pending) -> None:
        """Add a document."""
        self._gathered.documents[pending.document.id] = pending
        self._gathered.passages += len(pending.passages)
        self._gathered.characters += len(pending.document.text)

    def add_sources(self, sources: Sequence[Source]) -> None:
        """Add sources of documents that are in the store."""
        self._gathered.more_sources += sources

    def record_file(self, record: FileRecord, sources: list[str]) -> None:
        """Record that a file was read, with its sources, all of which were added before."""
        self._gathered.records.append((record, sources))

    def advance(self) -> None:
        """Process a batch if enough has been gathered."""
        enough = PASSAGES_TOGETHER if self.encoder.busy else PASSAGES_AT_ONCE
        gathered = self._gathered
        if (
            gathered.passages >= enough
            or gathered.characters >= CHARACTERS_TOGETHER
            or len(gathered.records) >= FILES_TOGETHER
        ):
            self._turn()

    def finish(self) -> None:
        """Store everything in the queue."""
        self._turn()
        self._turn()

    def _turn(self) -> None:
        """Hand the gathered batch to the model, and commit the previous one."""
        encoded, encodings = self._encoding, self._encodings
        self._encoding, self._gathered = self._gathered, _Batch()
        self._encodings = self.encoder.begin(
            [passage for one in self._encoding.documents.values() for passage in one.passages]
        )
        for one in list(encoded.documents.values()):
            first, *others = one.sources
            # All of them before the store is locked, so that a reader's rating need not wait for
            # the model. Half precision, as in the store, takes half the memory.
            mine = [
                _to_half_precision(encoding) for encoding in islice(encodings, len(one.passages))
            ]
            self.writer.put(one.document, first, one.passages, mine)
            encoded.more_sources += others
            self.on_stored(one)
        # Files are recorded as read only after their documents are in the store.
        if encoded.more_sources:
            self.writer.add_sources(encoded.more_sources)
        if encoded.records:
            self.on_lost(self.writer.record_files(encoded.records))
        self.writer.flush()


def _to_half_precision(encoding: PassageEncoding) -> PassageEncoding:
    """Convert the encoding's vectors to half precision."""
    halves = cast("Vectors", encoding.sentences.astype(np.float16))
    return replace(encoding, sentences=halves)
