"""Worker processes, with framed messages and resource limits, that contain the effects of hostile
files.

Messages are length-prefixed JSON over pipes, never pickles, so that whatever a file makes a parser
say remains data. Processes are started with ``subprocess``, not ``multiprocessing``, so that a
user's script needs no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

from rag.runtime import airgap

if sys.platform == "linux":
    import fcntl

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


class WorkerDied(Exception):
    """The worker ended with an exit code instead of answering; ``is_late`` if it was killed because
    it took too long.
    """

    def __init__(self, code: int, seconds: float, *, is_late: bool) -> None:
        why = f"it took more than {seconds:.0f} s" if is_late else f"it crashed (exit code {code})"
        super().__init__(why)
        self.code, self.is_late = code, is_late


class Worker:
    """A process that answers messages; started again after it died or was ended.

    ``work`` says what it does, as in "reads files". One thread at a time may use it, but any may
    :meth:`kill` the process.
    """

    def __init__(self, work: str) -> None:
        self._work = work
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str]) -> None:
        """Start a process, unless one is running, with pipes to stdin and stdout, in its own
        process group, and wait until it is ready.

        Its stderr is a lifeline: a pipe nobody writes to, whose other end closes when this process
        ends, for whatever reason.

        Raises OSError if there is no such program, and RuntimeError if it ends at once.
        """
        if self.process and self.process.poll() is None:
            return
        self.end()  # it died between requests, out of memory, say
        lifeline, held = os.pipe()
        try:
            self.process = subprocess.Popen(  # noqa: S603 (our own module)
                command,
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
            raise RuntimeError(f"the process that {self._work} did not start: {death}") from death

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


def worker_streams() -> tuple[BinaryIO, BinaryIO]:
    """Inside a worker: the streams for requests and responses."""
    airgap.close_if_requested()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    _end_with_parent(os.dup(sys.stderr.fileno()))
    # Parsers sometimes print; their output must not mix with the responses.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    return sys.stdin.buffer, answers


def _end_with_parent(lifeline: int) -> None:
    """Kill this process and its children once the other end of the lifeline is closed.

    A thread waits for that. A parser that never releases the GIL would block it, so on Linux the
    kernel is asked to send a signal; unlike ``PR_SET_PDEATHSIG``, which is tied to the thread that
    started the process, this is tied to the parent process and reaches grandchildren.
    """
    if not stat.S_ISFIFO(os.fstat(lifeline).st_mode):  # started by hand, say
        return

    def wait() -> None:
        with suppress(OSError):
            os.read(lifeline, 1)
            if sys.platform != "win32":
                os.killpg(0, signal.SIGKILL)
            os._exit(1)

    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def memory_in_use() -> int:
    """Bytes that count towards :func:`limit_memory` now; 0 if the system doesn't say."""
    try:
        pages = [int(number) for number in Path("/proc/self/statm").read_text().split()]
    except OSError:
        return 0
    return pages[5 if _limits_all_memory() else 0] * os.sysconf("SC_PAGE_SIZE")


def limit_memory(most: int) -> None:
    """Limit the memory of this process, and of each child, to ``most`` bytes, where the system
    supports it; may be called repeatedly. Beyond the limit, allocations fail.

    Memory-mapped files don't count if the system can tell them apart.
    """
    with suppress(ImportError, ValueError, OSError):  # no such limit on Windows and macOS
        import resource

        # A limit on the whole address space would count mapped files, too.
        kind = resource.RLIMIT_DATA if _limits_all_memory() else resource.RLIMIT_AS
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))


def _limits_all_memory() -> bool:
    """Whether all allocations count as data (RLIMIT_DATA), as on Linux since 4.7."""
    version = [int(number) for number in re.findall(r"\d+", os.uname().release)[:2]]
    return sys.platform == "linux" and version >= [4, 7]
