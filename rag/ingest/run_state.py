"""What an index run knows of the library, has decided and has done: on one machine or on many."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rag.documents.registry import ReadOptions
from rag.errors import InputError
from rag.index.engine import Reader
from rag.index.records import FileRecord, Source
from rag.ingest.staleness import (
    KEPT,
    keep_unreadable,
    must_be_read,
    options_for,
    reader_version,
)
from rag.runtime.files import SPECIAL, is_regular, printable
from rag.types import Failure
from rag.types.parts import is_further_part
from rag.types.reports import IndexReport, Progress

LATEST_NS = 2**63 - 1
"""The latest time that SQLite can store, in April 2262; some systems allow later ones, and broken
programs write them."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A listed file: path or URL, size in bytes, and modification time."""

    name: str
    size: int
    modified_ns: int


def list_file(path: Path) -> ListedFile:
    """A file on this machine.

    Raises
    ------
    InputError
        If it can't be read; the message says why.
    """
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


@dataclass(slots=True)
class RunState:
    """Decisions and running totals of an index run.

    ``among`` are the files to which the run is limited, None for all; ``named`` those given
    explicitly, ``passed_over`` those skipped unopened. ``options``, ``retry`` and ``again`` are
    those of :meth:`rag.Library.index`.
    """

    reader: Reader
    among: Sequence[str] | None
    named: Iterable[Path | str]
    passed_over: Iterable[Failure]
    options: ReadOptions
    retry: bool
    again: bool

    files: dict[str, FileRecord] = field(init=False)
    """The files that the library has read, as they were before the run."""
    files_done: int = 0
    passages: int = 0

    _before: dict[str, Source] = field(init=False)
    _of_file: dict[str, list[Source]] = field(default_factory=dict)
    _in_doubt: frozenset[str] = field(init=False)
    _added: list[str] = field(default_factory=list)
    _updated: list[str] = field(default_factory=list)
    _unchanged: list[str] = field(default_factory=list)
    _removed: list[str] = field(default_factory=list)
    _failed: list[Failure] = field(default_factory=list)
    _skipped: list[Failure] = field(default_factory=list)
    _names: frozenset[str] = field(init=False)
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.files = self.reader.files(self.among)
        self._before = {source.path: source for source in self.reader.sources(self.among)}
        for source in self._before.values():
            self._of_file.setdefault(source.file, []).append(source)
        asked = self.retry or self.options.ocr
        doubts = self.reader.unread()[1] if asked else ()
        self._in_doubt = frozenset(one.source for one in doubts)
        self._names = frozenset(printable(path) for path in self.named)
        self._skipped += self.passed_over

    @property
    def documents(self) -> frozenset[str]:
        """Ids of the documents that the library had before the run."""
        return frozenset(source.document_id for source in self._before.values())

    def sources_of(self, name: str) -> list[Source]:
        """The sources that a file had before the run."""
        return self._of_file.get(name, [])

    def must_be_read(self, record: FileRecord) -> bool:
        """Whether a file is read again even if it is unchanged."""
        return self.again or must_be_read(
            record, self.options, in_doubt=record.path in self._in_doubt, retry=self.retry
        )

    def is_current(self, file: ListedFile) -> bool:
        """Whether a file looks as it did when it was read, and needn't be read again."""
        record = self.files.get(file.name)
        return (
            record is not None
            and (record.size, record.modified_ns) == (file.size, file.modified_ns)
            and not self.must_be_read(record)
        )

    def to_read(self, file: ListedFile, digest: str | None) -> FileToRead:
        """How to read a file, given the digest of its content if known."""
        record = self.files.get(file.name)
        unchanged = record is not None and record.digest == digest
        options = options_for(self.options, record if unchanged else None)
        return FileToRead(file, digest, unchanged, options)

    def leave(self, name: str) -> None:
        """Count an unchanged file; earlier failures would happen again."""
        self._unchanged += _without_further_parts(one.path for one in self.sources_of(name))
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
        """Count a file whose content was read before, under the name in ``record``.

        Returns
        -------
        (FileRecord, list of Source)
            Its record, and its sources, like those ``stored`` of the other one.
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
        return _record(state, record.digest, failures, record.seconds), sources

    def end(
        self,
        state: FileToRead,
        digest: str,
        sources: list[str],
        failures: tuple[Failure, ...],
        seconds: float,
    ) -> tuple[FileRecord, list[str]]:
        """Count a file that was read, with the sources found in it.

        Returns
        -------
        (FileRecord, list of str)
            Its record, and its sources, with those that can't be read any more.
        """
        reported: Sequence[Failure] = failures
        if state.unchanged or not sources:
            before = [one.path for one in self.sources_of(state.file.name)]
            sources, reported = keep_unreadable(sources, failures, before)
        self.add_failures(reported)
        self.files_done += 1
        return _record(state, digest, failures, seconds), sources

    def vanished(
        self, present: Collection[str], covers: Callable[[str], bool]
    ) -> tuple[list[str], list[str]]:
        """Sources and files, among those that the run covers, that are not present any more."""
        # A killed run may have stored a file's documents without recording the file as read.
        known = dict.fromkeys([*self.files, *self._of_file])
        files = [one for one in known if one not in present and covers(one)]
        return [source.path for file in files for source in self.sources_of(file)], files

    def add(self, source: Source, *, changed: bool = False) -> None:
        """Count a source that has a document; ``changed`` if it was read again and differs.

        A document in parts is counted once, with its first part.
        """
        if is_further_part(source.path):
            return
        earlier = self._before.get(source.path)
        if earlier is None:
            self._added.append(source.path)
        elif earlier.document_id != source.document_id or changed:
            self._updated.append(source.path)
        else:
            self._unchanged.append(source.path)

    def add_removed(self, sources: Iterable[str]) -> None:
        """Count sources removed from the library."""
        self._removed += _without_further_parts(sources)

    def add_failures(self, failures: Iterable[Failure]) -> None:
        """Count failures; files of an unsupported type count as skipped instead."""
        for one in failures:
            skipped = one.kind == "unsupported" and one.source not in self._names
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
        return IndexReport(
            added=tuple(self._added),
            updated=tuple(self._updated),
            unchanged=tuple(self._unchanged),
            removed=tuple(self._removed),
            failed=tuple(self._failed),
            skipped=tuple(self._skipped),
            embedded=embedded,
            reused=reused,
            seconds=time.monotonic() - self._began,
        )


def _record(
    state: FileToRead, digest: str, failures: tuple[Failure, ...], seconds: float
) -> FileRecord:
    return FileRecord(
        path=state.file.name,
        size=state.file.size,
        modified_ns=state.file.modified_ns,
        digest=digest,
        reader=reader_version(state.options),
        failures=failures,
        seconds=seconds,
    )


def _without_further_parts(sources: Iterable[str]) -> Iterator[str]:
    return (one for one in sources if not is_further_part(one))
