"""Files → Documents, in processes of their own, while this one does something else.

Each worker process reads one file at a time. A file that hangs, crashes its parser or eats
memory is reported, its worker is replaced, and the others go on. What was read waits in a
short queue, so memory does not grow with the number of files.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rag.documents.read_options import Means
from rag.documents.sandbox.parser import document_from_json
from rag.documents.sandbox.processes import (
    deadline,
    ended,
    kill,
    receive,
    send,
    started,
    stdin,
    stdout,
)
from rag.runtime.heartbeat import Beat, take, unobserved
from rag.text.language import with_language
from rag.types import Document, Failure

_NONE = Means()
COMMAND = (sys.executable, "-m", "rag.documents.sandbox.parser")
SECONDS_PER_FILE = 60.0
SECONDS_PER_MEGABYTE = 5.0
"""A worker may be silent for the first, and the second for each megabyte of the file. It gives a
sign of life after a page, so that a long file is not taken for one that hangs."""

MOST_SECONDS_PER_FILE = 6 * 3600.0
"""A file may take no more in all, whatever signs of life it gives: 4,000 pages of OCR are read in
that time. The time in which nobody takes what was read does not count."""

SECONDS_TO_START = 120.0

WAITING_CHARACTERS = 1_000_000
"""Characters of documents that may wait to be taken; one document more may be added to fewer."""

_LEAST_WEIGHT = 10_000
"""What any entry of the queue counts for, in characters."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file has been read to its end; ``failures`` is what of it could not be."""

    path: Path
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Alive:
    """A file is being read: so many ``steps`` of it are done, pages of a PDF, say."""

    path: Path
    steps: int


@dataclass(frozen=True, slots=True)
class _Ended:
    """A reading thread has no more files; ``error`` is what ended it before that, if anything."""

    error: BaseException | None


_Found = tuple[Path, Document] | ReadFile | Alive | _Ended


class _Waiting(queue.Queue[_Found]):
    """A queue that is full when what is in it has ``WAITING_CHARACTERS``."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._weight = 0

    def _qsize(self) -> int:
        return self._weight

    def _put(self, item: _Found) -> None:
        super()._put(item)
        self._weight += _weight(item)

    def _get(self) -> _Found:
        item: _Found = super()._get()
        self._weight -= _weight(item)
        return item


def _weight(found: _Found) -> int:
    characters = len(found[1].text) if isinstance(found, tuple) else 0
    return max(characters, _LEAST_WEIGHT)


def read(
    paths: Sequence[Path],
    *,
    means: Means = _NONE,
    workers: int | None = None,
    beat: Beat = unobserved,
) -> Generator[tuple[Path, Document] | ReadFile | Alive, None, None]:
    """Read files, several at a time.

    Parameters
    ----------
    paths
        The files.
    means
        What helps to read some of them.
    workers
        How many processes; by default half as many as there are cores, since the model needs
        the others.
    beat
        Called while nothing comes.

    Yields
    ------
    (Path, Document), ReadFile or Alive
        The documents of a file, then that it is done, and every second meanwhile that it goes on.
        Files come in no particular order.
    """
    if not paths:
        return
    count = min(len(paths), workers or max(1, (os.cpu_count() or 2) // 2))
    waiting: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for path in paths:
        waiting.put(path)
    found = _Waiting(WAITING_CHARACTERS)
    stop = threading.Event()
    readers = [_Worker() for _ in range(count)]
    threads = [
        threading.Thread(target=_feed, args=(worker, waiting, found, stop, means), daemon=True)
        for worker in readers
    ]
    for thread in threads:
        thread.start()
    try:
        running = count
        while running:
            one = take(found, beat)
            if isinstance(one, _Ended):
                if one.error:
                    raise one.error
                running -= 1
            else:
                yield one
    finally:
        stop.set()
        while any(thread.is_alive() for thread in threads):
            for reader in readers:
                reader.kill()
            try:  # let go of a thread that waits for a place in the queue
                found.get(timeout=0.05)
            except queue.Empty:
                continue


def _feed(
    worker: _Worker,
    waiting: queue.SimpleQueue[Path],
    found: queue.Queue[_Found],
    stop: threading.Event,
    means: Means,
) -> None:
    """Have a worker read one file after the other; runs in a thread."""
    error = None
    try:
        while not stop.is_set():
            path = waiting.get_nowait()
            for one in worker.read(path, means):
                found.put(one)
                if stop.is_set():
                    return
    except queue.Empty:
        pass
    except BaseException as problem:  # noqa: BLE001 (it is raised where the files are taken)
        error = problem
    finally:
        worker.end()
        found.put(_Ended(error))


class _Worker:
    """One worker process, started when first needed, and anew after each death."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, path: Path, means: Means) -> Iterator[tuple[Path, Document] | ReadFile | Alive]:
        """Read one file, come what may."""
        began = time.monotonic()
        patience = _Patience(silent=_seconds(path), whole=MOST_SECONDS_PER_FILE)
        failures: list[Failure] = []
        process = self._process or self._start()
        with suppress(BrokenPipeError):  # it died: its silence will tell
            send(stdin(process), {"path": str(path), "means": asdict(means)})
        while "done" not in (message := patience.next_message(process)):
            if "alive" in message:
                yield Alive(path, message["alive"])
            elif "document" in message:
                # Not in the worker: unpacking what knows languages takes a process .8 s of CPU.
                yield path, with_language(document_from_json(message["document"]))
            elif "failure" in message:
                failures.append(Failure(*message["failure"]))
            else:
                self.end()
                remedy = f"; {means.after_crash}" if "crashed" in message else ""
                failures.append(Failure(str(path), message["death"] + remedy))
                break
        if message.get("spent"):
            self.end()
        yield ReadFile(path, tuple(failures), time.monotonic() - began)

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = started(COMMAND)
        # That it takes long to start is no fault of the first file.
        patience = _Patience(silent=SECONDS_TO_START, whole=SECONDS_TO_START)
        if "ready" not in (message := patience.next_message(self._process)):
            raise RuntimeError(f"the process that reads files did not start: {message['death']}")
        return self._process

    def kill(self) -> None:
        """Stop the process, so that whoever waits for it waits no longer; from any thread."""
        if process := self._process:
            kill(process)

    def end(self) -> None:
        """Stop the process, whatever it is doing."""
        if self._process:
            ended(self._process)
            self._process = None


def _seconds(path: Path) -> float:
    try:
        megabytes = path.stat().st_size / 1e6
    except OSError:
        megabytes = 0.0  # the worker will say what is the matter
    return SECONDS_PER_FILE + SECONDS_PER_MEGABYTE * megabytes


@dataclass(slots=True)
class _Patience:
    """For how many seconds a process may be ``silent``, and waited for on the ``whole``.

    Only waiting counts, not the time in which nobody took what the process had to say.
    """

    silent: float
    whole: float
    waited: float = 0.0

    def next_message(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """The next message; the process is killed when patience ends before it comes."""
        left = self.whole - self.waited
        began = time.monotonic()
        with deadline(process, min(self.silent, left)) as late:
            message = receive(stdout(process))
        self.waited += time.monotonic() - began
        if message is not None:
            return message
        if late.is_set() and left < self.silent:
            return {"death": f"it took more than {self.whole:.0f} s to read, and was given up"}
        if late.is_set():
            return {"death": f"nothing came of it for {self.silent:.0f} s, and it was given up"}
        code = process.wait()
        # A large file is mapped: where it is cut meanwhile, the system ends who looks there.
        if sys.platform != "win32" and code == -signal.SIGBUS:
            return {"death": "it was cut, or its disk failed, while it was read; index it again"}
        return {"death": f"its parser crashed (exit code {code})", "crashed": True}
