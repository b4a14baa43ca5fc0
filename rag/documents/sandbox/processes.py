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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from rag.runtime import airgap

if sys.platform == "linux":
    import fcntl

if TYPE_CHECKING:
    from io import BufferedReader, BufferedWriter

LENGTH = struct.Struct(">Q")


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


def start_process(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a process with pipes to stdin and stdout, in its own process group.

    Its stderr is a lifeline: a pipe nobody writes to, whose other end closes when this process
    ends, for whatever reason.
    """
    lifeline, held = os.pipe()
    try:
        process = subprocess.Popen(  # noqa: S603 (our own module)
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
    process.stderr = os.fdopen(held, "wb")
    return process


def stdin(process: subprocess.Popen[bytes]) -> BufferedWriter:
    """The process's standard input."""
    return process.stdin  # type: ignore[return-value]  # it is a pipe, as started above


def stdout(process: subprocess.Popen[bytes]) -> BufferedReader:
    """The process's standard output."""
    return process.stdout  # type: ignore[return-value]  # it is a pipe, as started above


@contextmanager
def deadline(process: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
    """Kill the process if the block takes longer; the event says whether it was killed."""
    late = threading.Event()

    def give_up() -> None:
        late.set()
        kill(process)

    watch = threading.Timer(seconds, give_up)
    watch.daemon = True
    watch.start()
    try:
        yield late
    finally:
        watch.cancel()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its children."""
    if sys.platform == "win32" or process.poll() is not None:
        process.kill()
        return
    with suppress(ProcessLookupError):  # it had already ended
        os.killpg(process.pid, signal.SIGKILL)


def stop_process(process: subprocess.Popen[bytes]) -> int:
    """Kill the process, close its pipes and return its exit code."""
    kill(process)
    code = process.wait()
    with suppress(BrokenPipeError):  # from a request it never read
        stdin(process).close()
    stdout(process).close()
    if process.stderr:
        process.stderr.close()
    return code


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
