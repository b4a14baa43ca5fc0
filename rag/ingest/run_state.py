"""What an index run knows of the library, decides and counts: on one machine or on many."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.documents.registry import ReadOptions
from rag.errors import InputError, LibraryDamaged
from rag.index.engine import Reader
from rag.index.records import FileRecord, Source
from rag.runtime.files import SPECIAL, is_regular, printable
from rag.types import Document, Failure, Passage
from rag.types.parts import is_further_part
from rag.types.reports import IndexReport, Progress

READING = 3
"""Version of reading. Raise it whenever loaders or chunking produce something else from the same
file: files read by a lower version are then read again, and replaced if they differ."""

LATEST_NS = 2**63 - 1
"""The latest time that SQLite can store, in April 2262; some systems allow later ones, and broken
programs write them."""

KEPT = "; its earlier version stays in the library"
"""Suffix of the message for a file that could be read before and can't be now."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A listed file: path or URL, size in bytes, and modification time."""

    name: str
    size: int
    modified_ns: int


def list_file(path: Path) -> ListedFile:
    """A file on this machine; raises InputError, with the reason, if it can't be read."""
    try:
        (name := str(path)).encode()
        facts = path.stat()
    except OSError as error:
        raise InputError(f"it can't be read: {error.strerror or error}") from error
    except UnicodeEncodeError as error:
        raise InputError("its name is not valid UTF-8: rename it") from error
    if not is_regular(facts):
        raise InputError(SPECIAL)
    return ListedFile(name, facts.st_size, min(max(facts.st_mtime_ns, -LATEST_NS), LATEST_NS))


@dataclass(frozen=True, slots=True)
class FileToRead:
    """A file that may have to be read.

    ``digest`` is that of its content, if it was computed, ``unchanged`` says whether it is the same
    as when last read, and ``options`` are those to read it with. ``again`` says that the content
    was read before and is to be replaced where the result differs.
    """

    file: ListedFile
    digest: str | None = None
    unchanged: bool = False
    options: ReadOptions = field(default_factory=ReadOptions)
    again: bool = False

    def record(self, digest: str, failures: tuple[Failure, ...], seconds: float) -> FileRecord:
        """Its record, once it was read; :class:`FileRecord` parses ``reader``."""
        ocr, limit = self.options.ocr or "-", self.options.max_document
        return FileRecord(
            path=self.file.name,
            size=self.file.size,
            modified_ns=self.file.modified_ns,
            digest=digest,
            reader=f"{READING} {ocr} {limit}",
            failures=failures,
            seconds=seconds,
        )


class RunState:
    """Decisions and running totals of an index run.

    The run is limited to the files ``among``, None for all; ``named`` are those given explicitly,
    and ``skipped`` those left out unopened. ``options``, ``retry`` and ``again`` are as in
    :meth:`rag.Library.index`.
    """

    def __init__(
        self,
        reader: Reader,
        among: Sequence[str] | None,
        named: Iterable[Path | str],
        skipped: Iterable[Failure],
        options: ReadOptions,
        *,
        retry: bool,
        again: bool,
    ) -> None:
        self.options = options
        self.files = reader.files(among)
        """The files that the library has read, as they were before the run."""
        self.files_done = self.passages = 0
        self._retry = retry
        self._again = again
        self._before = {source.path: source for source in reader.sources(among)}
        self._of_file: dict[str, list[Source]] = {}
        for source in self._before.values():
            self._of_file.setdefault(source.file, []).append(source)
        doubts = reader.unread()[1] if retry or options.ocr else ()
        self._in_doubt = frozenset(one.source for one in doubts)
        self._names = frozenset(map(printable, named))
        self._sources: dict[str, list[str]] = {
            name: [] for name in ("added", "updated", "unchanged", "removed")
        }
        self._failed: list[Failure] = []
        self._skipped: list[Failure] = []
        for one in skipped:
            # Pictures stay that were read when there was OCR.
            if sources := self.sources_of(one.source):
                self._count("unchanged", (source.path for source in sources))
            else:
                self._skipped.append(one)
        self._began = time.monotonic()

    @property
    def documents(self) -> frozenset[str]:
        """Ids of the documents that the library had before the run."""
        return frozenset(source.document_id for source in self._before.values())

    def sources_of(self, name: str) -> list[Source]:
        """The sources that a file had before the run."""
        return self._of_file.get(name, [])

    def must_be_read(self, record: FileRecord) -> bool:
        """Whether a file is read again even if it is unchanged, since the result may be better."""
        if self._again or record.reader.partition(" ")[0] != str(READING):
            return True
        options, failures = self.options, record.failures
        if options.passwords and any(one.kind == "password" for one in failures):
            return True
        return (record.path in self._in_doubt or bool(failures)) and (
            self._retry
            or self._ocr_for(record) not in {None, record.ocr}
            or options.max_document > record.max_document
        )

    def _ocr_for(self, record: FileRecord) -> str | None:
        asked = self.options.ocr
        return asked if self.options.ocr_asked else record.ocr or asked

    def is_current(self, file: ListedFile) -> bool:
        """Whether a file looks as it did when it was read, and needn't be read again."""
        record = self.files.get(file.name)
        return (
            record is not None
            and (record.size, record.modified_ns) == (file.size, file.modified_ns)
            and not self.must_be_read(record)
        )

    def to_read(self, file: ListedFile, digest: str | None) -> FileToRead:
        """How to read a file, given the digest of its content if known.

        For the same content, OCR and the memory limit of last time are used again, unless this run
        asks for others.
        """
        record, options = self.files.get(file.name), self.options
        if record is None or record.digest != digest:
            return FileToRead(file, digest, unchanged=False, options=options)
        most = max(options.max_document, record.max_document)
        options = replace(options, ocr=self._ocr_for(record), max_document=most)
        return FileToRead(file, digest, unchanged=True, options=options)

    def leave(self, name: str) -> None:
        """Count an unchanged file; earlier failures would happen again."""
        self._count("unchanged", (one.path for one in self.sources_of(name)))
        self.add_failures(self.files[name].failures)
        self.files_done += 1

    def fail(self, failure: Failure) -> None:
        """Count a file that can't be opened; its documents in the library stay."""
        note = KEPT if failure.source in self._of_file else ""
        self.add_failures([replace(failure, reason=failure.reason + note)])
        self.files_done += 1

    def take_over(
        self, state: FileToRead, record: FileRecord, stored: Iterable[Source]
    ) -> tuple[FileRecord, list[Source]]:
        """Count a file whose content was read before, under the name in ``record``; returns its
        record, and its sources, like those ``stored`` of the other one.
        """
        same, name = record.path, state.file.name
        sources = [
            Source(name + one.path.removeprefix(same), name, one.document_id) for one in stored
        ]
        failures = tuple(
            replace(one, source=name + one.source.removeprefix(same)) for one in record.failures
        )
        for source in sources:
            self.add(source)
        self.add_failures(failures)
        self.files_done += 1
        return state.record(record.digest, failures, record.seconds), sources

    def end(
        self,
        state: FileToRead,
        digest: str,
        sources: list[str],
        failures: tuple[Failure, ...],
        seconds: float,
    ) -> tuple[FileRecord, list[str]]:
        """Count a file that was read, with the sources found in it; returns its record, and its
        sources, with those that can't be read any more but are kept: of an unchanged file, or of
        one in which nothing can be read.
        """
        noted, present = [], set(sources)
        if state.unchanged or not sources:
            lost = [one.path for one in self.sources_of(state.file.name) if one.path not in present]
            for failure in failures:
                kept = [path for path in lost if _lies_in(path, failure.source)]
                present.update(kept)
                noted.append(replace(failure, reason=failure.reason + (KEPT if kept else "")))
        self.add_failures(noted or failures)
        self.files_done += 1
        return state.record(digest, failures, seconds), [*present]

    def vanished(
        self, present: Collection[str], covers: Callable[[str], bool]
    ) -> tuple[list[str], list[str]]:
        """Sources and files, among those that the run covers, that are not present any more."""
        # A killed run may have stored a file's documents without recording the file as read.
        known = dict.fromkeys([*self.files, *self._of_file])
        files = [one for one in known if one not in present and covers(one)]
        return [source.path for file in files for source in self.sources_of(file)], files

    def add(self, source: Source, *, changed: bool = False) -> None:
        """Count a source that has a document; ``changed`` if it was read again and differs."""
        earlier = self._before.get(source.path)
        if earlier is None:
            outcome = "added"
        elif earlier.document_id != source.document_id or changed:
            outcome = "updated"
        else:
            outcome = "unchanged"
        self._count(outcome, [source.path])

    def add_removed(self, sources: Iterable[str]) -> None:
        """Count sources removed from the library."""
        self._count("removed", sources)

    def _count(self, outcome: str, sources: Iterable[str]) -> None:
        """A document in parts is counted once, with its first part."""
        self._sources[outcome] += [one for one in sources if not is_further_part(one)]

    def add_failures(self, failures: Iterable[Failure]) -> None:
        """Count failures; files that may hold secrets count as skipped instead, and those of an
        unsupported type, unless they were named.
        """
        for one in failures:
            unnamed = one.kind == "unsupported" and one.source not in self._names
            skipped = unnamed or one.kind == "secret"
            (self._skipped if skipped else self._failed).append(one)

    def progress(self, files: int, embedded: int, reused: int, name: str) -> Progress:
        """Progress in a run over ``files`` files, at the one named ``name``."""
        return Progress(
            files_done=self.files_done,
            files=files,
            passages=self.passages,
            embedded=embedded,
            reused=reused,
            source=printable(name),
        )

    def report(self, embedded: int, reused: int) -> IndexReport:
        """The report so far, given the numbers of passages encoded and reused."""
        sources = self._sources
        return IndexReport(
            added=tuple(sources["added"]),
            updated=tuple(sources["updated"]),
            unchanged=tuple(sources["unchanged"]),
            removed=tuple(sources["removed"]),
            failed=tuple(self._failed),
            skipped=tuple(self._skipped),
            embedded=embedded,
            reused=reused,
            seconds=time.monotonic() - self._began,
        )


def is_identical(document: Document, passages: Sequence[Passage], reader: Reader) -> bool:
    """Whether the library has an identical document with identical passages."""
    with suppress(LibraryDamaged):  # a damaged one is replaced
        stored = reader.document(document.id)
        return (
            stored is not None
            and replace(stored, source=document.source) == document
            and reader.passages_of(document.id) == passages
        )
    return False


def _lies_in(source: str, place: str) -> bool:
    """Whether a source equals a place or is below it; both may be URLs."""
    return source == place or source.startswith((f"{place}/", f"{place}{os.sep}"))
