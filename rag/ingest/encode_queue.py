"""Documents that are read, on their way into the store: gathered, encoded, committed one by one.

Two batches are on their way at a time. While the model encodes one, the next is gathered; as soon
as that is enough, it is handed to the model, and what has been encoded is committed. So the model
waits for nobody as long as there is something to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import cast

import numpy as np

from rag.index.engine import Writer
from rag.index.sqlite import FileRecord, Source
from rag.ingest.passage_encoder import Encoder
from rag.types import Document, Passage, PassageEncoding
from rag.types.arrays import Vectors

PASSAGES_TOGETHER = 512
"""Passages that are gathered while the model is busy: enough that texts of one length can go
together, few enough that a crash costs seconds."""

PASSAGES_AT_ONCE = 64
"""… while it has nothing to do."""

CHARACTERS_TOGETHER = 1_000_000
"""Characters of documents that are gathered at most, plus one document."""

FILES_TOGETHER = 256
"""Files that are recorded as read in one transaction, where nothing goes through the model."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A document that is read and not stored yet, with every place where it was found."""

    document: Document
    passages: list[Passage]
    sources: list[Source]


@dataclass(slots=True)
class _Batch:
    """Documents by id, what else is to be pointed at documents, and files that end with them."""

    documents: dict[str, Pending] = field(default_factory=dict)
    pointing: list[Source] = field(default_factory=list)
    settling: list[tuple[FileRecord, list[str]]] = field(default_factory=list)
    passages: int = 0
    characters: int = 0


@dataclass(slots=True)
class Storing:
    """What is on its way into the store; to be finished.

    ``on_stored`` is told of each document that was committed, ``on_lost`` of sources that a file
    held before and holds no more.
    """

    encoder: Encoder
    writer: Writer
    on_stored: Callable[[Pending], None]
    on_lost: Callable[[list[str]], None]

    _gathered: _Batch = field(default_factory=_Batch)
    _encoding: _Batch = field(default_factory=_Batch)
    _encodings: Iterator[PassageEncoding] = field(default_factory=lambda: iter(()))

    def pending(self, document_id: str) -> Pending | None:
        """The document of that id, where it is on its way; more sources may be added to it."""
        return self._gathered.documents.get(document_id) or self._encoding.documents.get(
            document_id
        )

    def put(self, pending: Pending) -> None:
        """Take a document."""
        self._gathered.documents[pending.document.id] = pending
        self._gathered.passages += len(pending.passages)
        self._gathered.characters += len(pending.document.text)

    def point(self, source: Source) -> None:
        """Take a source of a document that is in the store."""
        self._gathered.pointing.append(source)

    def settle(self, record: FileRecord, sources: list[str]) -> None:
        """Take word that a file is read, and what was found in it, all of it taken before."""
        self._gathered.settling.append((record, sources))

    def advance(self) -> None:
        """Go on if it is time."""
        enough = PASSAGES_TOGETHER if self.encoder.busy else PASSAGES_AT_ONCE
        gathered = self._gathered
        if (
            gathered.passages >= enough
            or gathered.characters >= CHARACTERS_TOGETHER
            or len(gathered.settling) >= FILES_TOGETHER
        ):
            self._turn()

    def finish(self) -> None:
        """Store all that was taken."""
        self._turn()
        self._turn()

    def _turn(self) -> None:
        """Hand what was gathered to the model, and commit what it was handed before."""
        encoded, encodings = self._encoding, self._encodings
        self._encoding, self._gathered = self._gathered, _Batch()
        self._encodings = self.encoder.begin(
            [passage for one in self._encoding.documents.values() for passage in one.passages]
        )
        for one in list(encoded.documents.values()):
            first, *others = one.sources
            # All of them before the store is locked: who rates a passage must not wait for the
            # model. They are kept as the store has them, in half the memory.
            mine = [_halved(encoding) for encoding in islice(encodings, len(one.passages))]
            self.writer.put(one.document, first, one.passages, mine)
            encoded.pointing += others
            self.on_stored(one)
        # Files are recorded as read only now that their documents are in the store.
        if encoded.pointing:
            self.writer.point(encoded.pointing)
        if encoded.settling:
            self.on_lost(self.writer.settle(encoded.settling))
        self.writer.flush()


def _halved(encoding: PassageEncoding) -> PassageEncoding:
    """The encoding with its vectors in half precision."""
    halves = cast("Vectors", encoding.sentences.astype(np.float16))
    return replace(encoding, sentences=halves)
