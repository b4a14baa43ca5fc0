"""Processes of our own that are asked and answer, so that what a hostile file does costs only them.

Messages are JSON with their length in front, over pipes: never pickles, so that what a file makes
a parser say stays data. Started with ``subprocess``, not ``multiprocessing``, so that a user's
script needs no ``if __name__ == "__main__"``.
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
    """Read one message; None when the other side is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = stream.read(length)
    if len(content) < length:
        return None
    message: dict[str, Any] = json.loads(content)
    return message


def started(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """A process with pipes to ask it and be answered, in a group with all that it starts.

    In place of standard error it inherits its lifeline: a pipe that nobody writes to, and whose
    other end closes with this process, however that ends.
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
    """Where a process that was started here is asked."""
    return process.stdin  # type: ignore[return-value]  # it is a pipe, as started above


def stdout(process: subprocess.Popen[bytes]) -> BufferedReader:
    """Where it answers."""
    return process.stdout  # type: ignore[return-value]  # it is a pipe, as started above


@contextmanager
def deadline(process: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
    """Kill the process where what is done inside takes longer; the event says that it was so."""
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
    """Kill the process, and what it has started."""
    if sys.platform == "win32" or process.poll() is not None:
        process.kill()
        return
    with suppress(ProcessLookupError):  # it was quicker
        os.killpg(process.pid, signal.SIGKILL)


def ended(process: subprocess.Popen[bytes]) -> int:
    """Stop the process, whatever it is doing, and let go of its pipes; how it exited."""
    kill(process)
    code = process.wait()
    with suppress(BrokenPipeError):  # of what it was not quick enough to be asked
        stdin(process).close()
    stdout(process).close()
    if process.stderr:
        process.stderr.close()
    return code


def answering() -> tuple[BinaryIO, BinaryIO]:
    """Inside such a process: where it is asked, and where it answers."""
    airgap.close_if_told()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    _end_with_parent(os.dup(sys.stderr.fileno()))
    # Parsers print at times; what they print must not mix with the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, sys.stdout.fileno())
    os.dup2(nowhere, sys.stderr.fileno())
    return sys.stdin.buffer, answers


def _end_with_parent(lifeline: int) -> None:
    """Kill this process and what it has started once the lifeline's other end is closed.

    A thread waits for that. A parser that never lets another thread run would hold it up, so on
    Linux the kernel is asked to do the same; unlike ``PR_SET_PDEATHSIG``, which goes by the thread
    that started the process, this goes by the parent and reaches grandchildren.
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
    """The bytes that :func:`limit_memory` counts, as of now; 0 where the system doesn't say."""
    try:
        pages = [int(number) for number in Path("/proc/self/statm").read_text().split()]
    except OSError:
        return 0
    return pages[5 if _all_is_data() else 0] * os.sysconf("SC_PAGE_SIZE")


def limit_memory(most: int) -> None:
    """Let this process, and each that it starts, have at most ``most`` bytes of memory, where the
    system can see to that; it can be called again. Beyond it, allocations fail.

    Mapped files don't count where the system can tell them apart.
    """
    with suppress(ImportError, ValueError, OSError):  # Windows has none, macOS no such limit
        import resource

        # The whole address space would count files that are mapped, too.
        kind = resource.RLIMIT_DATA if _all_is_data() else resource.RLIMIT_AS
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))


def _all_is_data() -> bool:
    """Whether all that a process allocates counts as its data, as it does on Linux since 4.7."""
    version = [int(number) for number in re.findall(r"\d+", os.uname().release)[:2]]
    return sys.platform == "linux" and version >= [4, 7]
