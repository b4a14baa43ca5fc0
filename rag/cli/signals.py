"""Interruption of a command by Ctrl-C or SIGTERM, which are treated alike."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

_codes: dict[int, int] = {signal.SIGINT: EXIT_INTERRUPTED, signal.SIGTERM: EXIT_TERMINATED}

reported = threading.Event()
"""Set by a command that has reported its interruption itself."""

SECONDS_TO_END = 2.0
"""Time a command has to end after the first signal."""


@contextmanager
def interrupt_on_sigterm() -> Iterator[None]:
    """Within this block SIGTERM raises KeyboardInterrupt as Ctrl-C does; only the exit code
    differs.

    At its end the process exits at once: joining threads and exit handlers of libraries could take
    seconds. If the block doesn't end within :data:`SECONDS_TO_END`, because it is in native code or
    waiting for a disk, the process is killed. That loses nothing: committed work stays, and
    everything derived from it is rebuilt.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    ended: BaseException | None = None
    with _watching_signals() as stopped_by:
        try:
            yield
        except BaseException as error:  # noqa: BLE001 (a KeyboardInterrupt may be wrapped)
            ended = error
    if stopped_by:
        _end(_codes[stopped_by[0]], ended)
    signal.signal(signal.SIGTERM, before)
    if ended:
        raise ended


def _end(code: int, ended: BaseException | None) -> NoReturn:
    """Exit after a signal. A command that ended normally, such as a server, or with an error of its
    own keeps its exit code.
    """
    if ended is None:
        code = 0
    elif isinstance(ended, SystemExit) and ended.code != EXIT_INTERRUPTED:
        code = ended.code if isinstance(ended.code, int) else 0
    elif not reported.is_set():
        os.write(2, b"Stopped.\n")
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the output is closed, or its reader is gone
            stream.flush()
    os._exit(code)


@contextmanager
def _watching_signals() -> Iterator[list[int]]:
    """Run a thread that sees signals immediately: Python's own handlers wait for native code to
    return. After the block the list contains the signal that ends the command, if there was one.
    """
    received, sent = os.pipe()
    os.set_blocking(sent, False)
    before = signal.set_wakeup_fd(sent, warn_on_full_buffer=False)
    stopped_by: list[int] = []
    known = threading.Event()

    def watch() -> None:
        while number := os.read(received, 1):
            if number[0] in _codes:
                stopped_by.append(number[0])
                known.set()
                _end_soon(number[0])
        os.close(received)
        known.set()

    threading.Thread(target=watch, name="signals", daemon=True).start()
    try:
        yield stopped_by
    finally:
        signal.set_wakeup_fd(before)
        os.close(sent)
        known.wait()


def expect_sigterm() -> None:
    """Make SIGTERM end this command, which is a server, with exit code 0."""
    _codes[signal.SIGTERM] = 0


def _end_soon(number: int) -> None:
    """Kill the process if it has not ended in time."""
    time.sleep(SECONDS_TO_END)
    if _codes[number] and not reported.is_set():
        os.write(2, b"Stopped. What was written stays; run it again to go on.\n")
    os._exit(_codes[number])
