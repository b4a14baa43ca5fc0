"""Files → store: what is new or changed is read, broken into passages, encoded and committed."""

from __future__ import annotations

import hashlib
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from rag.chunking import passages
from rag.discovery import Discovery
from rag.errors import LoadError
from rag.loaders import load
from rag.store import Source, StoreReader, StoreWriter
from rag.types import (
    Document,
    Embedder,
    Failure,
    IndexReport,
    Passage,
    PassageEncoding,
    Progress,
    document_id,
)

PASSAGES_TOGETHER = 512
"""Passages that are gathered before they go through the model: enough that texts of one length
can go together, few enough that a crash costs seconds."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A document that is read and not stored yet, with every file that turned out to hold it."""

    document: Document
    passages: list[Passage]
    sources: list[Source]


@dataclass(slots=True)
class Ingestion:
    """One run over a set of files. The caller holds the writer's lock.

    Every document is committed on its own, so whatever ends the run, what is committed stays;
    :meth:`report` says what was done by then.
    """

    discovery: Discovery
    embedder: Embedder
    reader: StoreReader
    writer: StoreWriter
    on_progress: Callable[[Progress], None]

    _known: dict[str, Source] = field(init=False)
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _added: list[str] = field(default_factory=list)
    _updated: list[str] = field(default_factory=list)
    _unchanged: list[str] = field(default_factory=list)
    _removed: list[str] = field(default_factory=list)
    _failed: list[Failure] = field(default_factory=list)
    _seen: int = 0
    _embedded: int = 0
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._known = self.reader.sources()

    def run(self) -> None:
        """Do it; may be interrupted at any point."""
        for path in self.discovery.files:
            try:
                self._look_at(path)
            except (OSError, LoadError, UnicodeError) as error:
                self._failed.append(Failure(printable(path), self._reason(path, error)))
            self._seen += 1
            self._tell(path)
            if sum(len(one.passages) for one in self._pending.values()) >= PASSAGES_TOGETHER:
                self._store_pending()
        self._store_pending()
        self._remove_vanished()

    def report(self) -> IndexReport:
        """What was done so far."""
        return IndexReport(
            added=tuple(self._added),
            updated=tuple(self._updated),
            unchanged=tuple(self._unchanged),
            removed=tuple(self._removed),
            failed=tuple(self._failed),
            skipped=self.discovery.skipped,
            embedded=self._embedded,
            seconds=time.monotonic() - self._began,
        )

    def _look_at(self, path: Path) -> None:
        """Find out whether a file is new or changed, and read it if its content is."""
        name = str(path)
        name.encode()  # a name that is no UTF-8 can't be stored, and says so here
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # a pipe or a device would keep us waiting
            raise LoadError("is no ordinary file")
        before = self._known.get(name)
        if before and (before.size, before.modified_ns) == (facts.st_size, facts.st_mtime_ns):
            self._unchanged.append(name)
            return
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        source = Source(name, document_id(digest), digest, facts.st_size, facts.st_mtime_ns)
        if source.document_id in self._pending:
            self._pending[source.document_id].sources.append(source)
        elif self.reader.has_document(source.document_id):
            self.writer.point(source)
            if before and before.digest == digest:
                self._unchanged.append(name)
            else:
                self._count(source)
        else:
            document = load(path)
            self._pending[document.id] = _Pending(
                document=document,
                passages=passages(document, self.embedder),
                sources=[replace(source, document_id=document.id, digest=document.digest)],
            )

    def _store_pending(self) -> None:
        """Encode and commit what was gathered, document by document."""
        pending = list(self._pending.values())
        self._pending.clear()
        encodings = self._encoded([passage for one in pending for passage in one.passages])
        for one in pending:
            first, *others = one.sources
            mine = islice(encodings, len(one.passages))
            self.writer.put(one.document, first, one.passages, mine)
            self._count(first)
            for other in others:
                self.writer.point(other)
                self._count(other)
            self._tell(Path(first.path))

    def _encoded(self, gathered: list[Passage]) -> Iterator[PassageEncoding]:
        for encoding in self.embedder.passages(gathered):
            self._embedded += 1
            yield encoding

    def _remove_vanished(self) -> None:
        present = {str(path) for path in self.discovery.files}
        gone = [path for path in self._known if path not in present and self.discovery.covers(path)]
        if gone:
            self.writer.remove(gone)
            self._removed += gone

    def _count(self, source: Source) -> None:
        (self._updated if source.path in self._known else self._added).append(source.path)

    def _tell(self, path: Path) -> None:
        done, files = self._seen, len(self.discovery.files)
        self.on_progress(Progress(done, files, self._embedded, printable(path)))

    def _reason(self, path: Path, error: Exception) -> str:
        if isinstance(error, LoadError):
            reason = str(error)
        elif isinstance(error, OSError):
            reason = f"can't be read: {error.strerror or error}"
        else:
            reason = "its name is not valid UTF-8: rename it"
        kept = str(path) in self._known
        return f"{reason}; its earlier version stays in the library" if kept else reason


def printable(path: Path) -> str:
    """A path as it can be shown and stored, whatever bytes its name has."""
    return str(path).encode("utf-8", "backslashreplace").decode()
