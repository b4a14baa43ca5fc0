"""What ends a command before its end: Ctrl-C, and SIGTERM, which means the same."""

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
"""Set by a command that has said itself that it was stopped."""

SECONDS_TO_END = 2.0
"""How long a command may go on after the first of them."""


@contextmanager
def ending() -> Iterator[None]:
    """In this block SIGTERM ends a command as Ctrl-C does, but for the exit code: by
    KeyboardInterrupt. At its end the process is ended, too: what threads have yet to do, and what
    libraries do at exit, could take seconds. Where the block goes on for :data:`SECONDS_TO_END`, in
    native code or waiting for a disk, say, the process is ended on the spot. That loses nothing:
    what was committed stays, and whatever is derived from it is made again.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    ended: BaseException | None = None
    with _watched() as stopped_by:
        try:
            yield
        except BaseException as error:  # noqa: BLE001 (what became of a KeyboardInterrupt)
            ended = error
    if stopped_by:
        _end(_codes[stopped_by[0]], ended)
    signal.signal(signal.SIGTERM, before)
    if ended:
        raise ended


def _end(code: int, ended: BaseException | None) -> NoReturn:
    """End the process after a signal. A command that ended as if nothing had been, such as a
    server, or with an error of its own has its own exit code.
    """
    if ended is None:
        code = 0
    elif isinstance(ended, SystemExit) and ended.code != EXIT_INTERRUPTED:
        code = ended.code if isinstance(ended.code, int) else 0
    elif not reported.is_set():
        os.write(2, b"Stopped.\n")
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            stream.flush()
    os._exit(code)


@contextmanager
def _watched() -> Iterator[list[int]]:
    """Have a thread told of signals as they come: Python's own handlers wait for native code. At
    the end of the block the list has the signal that ends the command, if there was one.
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
    """Let SIGTERM be the ordinary way to end this command, with exit code 0: it is a server."""
    _codes[signal.SIGTERM] = 0


def _end_soon(number: int) -> None:
    """End the process if the signal has not done so by then."""
    time.sleep(SECONDS_TO_END)
    if _codes[number] and not reported.is_set():
        os.write(2, b"Stopped. What was written stays; run it again to go on.\n")
    os._exit(_codes[number])
