"""Read files to Documents in worker processes, in parallel with the caller.

Each worker reads one file at a time. If a file hangs, crashes its parser or exhausts memory, it is
reported, its worker is replaced, and the others continue. Results wait in a short queue, so memory
does not grow with the number of files.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rag.documents.read_options import RAPID, ReadOptions
from rag.documents.sandbox.processes import Worker, WorkerDied, document_from_json
from rag.runtime.heartbeat import Beat, no_heartbeat, take
from rag.text.language import with_language
from rag.types import Document, Failure

_NONE = ReadOptions()
SECONDS_PER_FILE = 60.0
SECONDS_PER_MEGABYTE = 5.0
"""How long a worker may be silent: the first in seconds, plus the second per megabyte of the file.
It reports after each page, so a long file is not taken for one that hangs."""

MOST_SECONDS_PER_FILE = 6 * 3600.0
"""Maximum time per file, even with progress: enough for 4,000 pages of OCR. Time in which the
caller takes no results doesn't count."""

WAITING_CHARACTERS = 1_000_000
"""Queue capacity in characters of documents; one more document may be added to fewer."""

MOST_WITH_RAPID_OCR = 2
"""Maximum number of processes that read files by RapidOCR, each with 1.3 GB for that."""

_LEAST_WEIGHT = 10_000
"""Minimum weight of a queue entry, in characters."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file has been read to the end; ``failures`` lists what in it could not be read."""

    path: Path
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """Progress on a file: ``steps`` done so far, such as pages of a PDF."""

    path: Path
    steps: int


_Found: TypeAlias = tuple[Path, Document] | ReadFile | ReadProgress
_Item: TypeAlias = _Found | BaseException | None
"""What a thread found; at its end None, or the exception that ended it early."""


class _BoundedQueue(queue.Queue[_Item]):
    """A queue bounded by total characters, ``WAITING_CHARACTERS``."""

    _weight = 0

    def _qsize(self) -> int:
        return self._weight

    def _put(self, item: _Item) -> None:
        super()._put(item)
        self._weight += _weight(item)

    def _get(self) -> _Item:
        item: _Item = super()._get()
        self._weight -= _weight(item)
        return item


def _weight(item: _Item) -> int:
    characters = len(item[1].text) if isinstance(item, tuple) else 0
    return max(characters, _LEAST_WEIGHT)


def read(
    paths: Sequence[Path],
    *,
    options: ReadOptions = _NONE,
    workers: int | None = None,
    beat: Beat = no_heartbeat,
) -> Generator[_Found, None, None]:
    """Read files in parallel: yields the documents of a file, then its end, and progress every
    second in between. Files come in no particular order.

    ``workers`` is the number of processes; by default half the number of cores, leaving the rest to
    the model, and at most two with RapidOCR. ``beat`` is called while waiting.
    """
    if not paths:
        return
    count = min(len(paths), workers or _usual_workers(options))
    waiting: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for path in paths:
        waiting.put(path)
    found = _BoundedQueue(WAITING_CHARACTERS)
    stop = threading.Event()
    readers = [Worker() for _ in range(count)]
    threads = [
        threading.Thread(target=_feed, args=(worker, waiting, found, stop, options), daemon=True)
        for worker in readers
    ]
    for thread in threads:
        thread.start()
    try:
        running = count
        while running:
            one = take(found, beat)
            if isinstance(one, BaseException):
                raise one
            if one is None:
                running -= 1
            else:
                yield one
    finally:
        stop.set()
        while any(thread.is_alive() for thread in threads):
            for reader in readers:
                reader.kill()
            try:  # unblock a thread that waits for room in the queue
                found.get(timeout=0.05)
            except queue.Empty:
                continue


def _usual_workers(options: ReadOptions) -> int:
    usual = max(1, (os.cpu_count() or 2) // 2)
    return min(usual, MOST_WITH_RAPID_OCR) if options.ocr == RAPID else usual


def _feed(
    worker: Worker,
    waiting: queue.SimpleQueue[Path],
    found: queue.Queue[_Item],
    stop: threading.Event,
    options: ReadOptions,
) -> None:
    """Thread that has a worker read files one by one."""
    ended_by: BaseException | None = None
    try:
        while not stop.is_set():
            for one in _read(worker, waiting.get_nowait(), options):
                found.put(one)
                if stop.is_set():
                    return
    except queue.Empty:
        pass
    except BaseException as error:  # noqa: BLE001 (it is raised where the files are taken)
        ended_by = error
    finally:
        worker.end()
        found.put(ended_by)


def _read(worker: Worker, path: Path, options: ReadOptions) -> Iterator[_Found]:
    """Read one file, whatever happens to the process.

    Only time spent waiting for messages counts, not time in which none were collected.
    """
    began = time.monotonic()
    silent, left = _seconds(path), MOST_SECONDS_PER_FILE
    failures: list[Failure] = []
    worker.start()
    question: dict[str, Any] | None = {"path": str(path), "options": asdict(options)}
    message: dict[str, Any] = {}
    try:
        while "done" not in message:
            asked = time.monotonic()
            message = worker.ask(question, min(silent, left))
            left -= time.monotonic() - asked
            question = None
            if "alive" in message:
                yield ReadProgress(path, message["alive"])
            elif "document" in message:
                # Not in the worker: loading the language detector takes .8 s of CPU per process.
                yield path, with_language(document_from_json(message["document"]))
            elif "failure" in message:
                failures.append(Failure(*message["failure"]))
    except WorkerDied as death:
        limit = f"made no progress for {silent:.0f} s"
        if left < silent:
            limit = f"took more than {MOST_SECONDS_PER_FILE:.0f} s to read"
        reason = f"it {limit} and was aborted" if death.is_late else _reason(death.code, options)
        failures.append(Failure(str(path), reason))
    if message.get("spent"):
        worker.end()
    yield ReadFile(path, tuple(failures), time.monotonic() - began)


def _reason(code: int, options: ReadOptions) -> str:
    """Why a process ended with this exit code."""
    # Large files are mapped: if one is truncated meanwhile, the system kills the process that reads
    # it.
    if sys.platform != "win32" and code == -signal.SIGBUS:
        return "it was truncated, or its disk failed, while being read; index it again"
    return f"its parser crashed (exit code {code}): {options.after_crash}"


def _seconds(path: Path) -> float:
    try:
        megabytes = path.stat().st_size / 1e6
    except OSError:
        megabytes = 0.0  # the worker will report what is wrong
    return SECONDS_PER_FILE + SECONDS_PER_MEGABYTE * megabytes
