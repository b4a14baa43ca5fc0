"""Start worker processes, and exchange messages with them.

Messages are length-prefixed JSON over pipes, never pickles, so that whatever a file makes a parser
say remains data. Processes are started with ``subprocess``, not ``multiprocessing``, so that a
user's script needs no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, BinaryIO, cast

from rag.types import Document, Heading, Span

COMMAND = (sys.executable, "-m", "rag.documents.sandbox.worker")
LENGTH = struct.Struct(">Q")
SECONDS_TO_START = 120.0


def send(stream: BinaryIO, message: dict[str, Any]) -> None:
    """Write one message."""
    content = json.dumps(message).encode()
    stream.write(LENGTH.pack(len(content)) + content)
    stream.flush()


def receive(stream: BinaryIO) -> dict[str, Any] | None:
    """Read one message; None if the other side has closed."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = stream.read(length)
    if len(content) < length:
        return None
    message: dict[str, Any] = json.loads(content)
    return message


def document_to_json(document: Document) -> dict[str, Any]:
    """Serialise a document to plain values."""
    return asdict(document) | {"date": document.date.isoformat() if document.date else None}


def document_from_json(values: dict[str, Any]) -> Document:
    """Deserialise a document; every span is validated."""
    restored = {
        "date": dt.date.fromisoformat(values["date"]) if values["date"] else None,
        "headings": tuple(Heading(Span(**h["span"]), h["level"]) for h in values["headings"]),
        "pages": tuple(Span(**page) for page in values["pages"]),
        "page_labels": tuple(values["page_labels"]),
        "warnings": tuple(values["warnings"]),
    }
    return Document(**values | restored)


class WorkerDied(Exception):
    """The worker ended with an exit ``code`` instead of answering; ``is_late`` if it was killed
    because it took too long.
    """

    def __init__(self, code: int, seconds: float, *, is_late: bool) -> None:
        why = f"it took more than {seconds:.0f} s" if is_late else f"it crashed (exit code {code})"
        super().__init__(why)
        self.code, self.is_late = code, is_late


class Worker:
    """A process that answers messages, see :mod:`rag.documents.sandbox.worker`, or another
    ``command``; started again after it died or was ended.

    One thread at a time may use it, but any may :meth:`kill` the process.
    """

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = command or COMMAND

    def start(self) -> None:
        """Start the process, unless it is running, in its own process group, and wait until it is
        ready.

        Its stderr is a lifeline: a pipe nobody writes to, whose other end closes when this process
        ends, for whatever reason.

        Raises OSError if it can't be started, and RuntimeError if it ends at once.
        """
        if self.process and self.process.poll() is None:
            return
        self.end()  # it died between requests, out of memory, say
        lifeline, held = os.pipe()
        try:
            self.process = subprocess.Popen(  # noqa: S603 (our own modules)
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=lifeline,
                process_group=0,
            )
        except BaseException:
            os.close(held)
            raise
        finally:
            os.close(lifeline)
        self.process.stderr = os.fdopen(held, "wb")
        try:
            self.ask(None, SECONDS_TO_START)
        except WorkerDied as death:
            raise RuntimeError(f"the process for reading files did not start: {death}") from death

    def ask(self, question: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
        """Send a message, if given, and return the next that the process sends.

        Raises WorkerDied if it ends instead, or takes longer than ``seconds``, for which it is
        killed; then, and after any other exception, it is ended: a late answer would be taken for
        the next one.
        """
        process = cast("subprocess.Popen[bytes]", self.process)
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            _kill(process)

        watch = threading.Timer(seconds, give_up)
        watch.daemon = True
        watch.start()
        try:
            with suppress(BrokenPipeError):  # it died: there will be no answer
                if question is not None:
                    send(cast("BinaryIO", process.stdin), question)
            answer = receive(cast("BinaryIO", process.stdout))
        except BaseException:
            self.end()
            raise
        finally:
            watch.cancel()
        if answer is None:
            raise WorkerDied(self.end(), seconds, is_late=is_late.is_set())
        return answer

    def kill(self) -> None:
        """Kill the process, which unblocks any thread that waits for it."""
        if process := self.process:
            _kill(process)

    def end(self) -> int:
        """Kill the process, if there is one, close its pipes and return its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        _kill(process)
        code = process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):  # from a request it never read
                cast("BinaryIO", pipe).close()
        return code


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its children."""
    if sys.platform == "win32" or process.poll() is not None:
        process.kill()
        return
    with suppress(ProcessLookupError):  # it had already ended
        os.killpg(process.pid, signal.SIGKILL)
