"""What ends a command before its end: Ctrl-C, and SIGTERM, which means the same."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

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
    KeyboardInterrupt. Where the process goes on for :data:`SECONDS_TO_END`, in native code or
    waiting for a disk, say, it is ended on the spot. That loses nothing: what was committed stays,
    and whatever is derived from it is made again.
    """
    terminated = False

    def terminate(*_: object) -> None:
        nonlocal terminated
        terminated = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        with _watched():
            yield
    except SystemExit as ended:
        if terminated and ended.code == EXIT_INTERRUPTED:
            raise SystemExit(EXIT_TERMINATED) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _watched() -> Iterator[None]:
    """Have a thread told of signals as they come: Python's own handlers wait for native code."""
    received, sent = os.pipe()
    os.set_blocking(sent, False)
    before = signal.set_wakeup_fd(sent, warn_on_full_buffer=False)
    watch = threading.Thread(target=_end_soon, args=(received,), name="signals", daemon=True)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(sent)  # without a signal the thread ends here; after one it stays to the very end


def expect_sigterm() -> None:
    """Let SIGTERM be the ordinary way to end this command, with exit code 0: it is a server."""
    _codes[signal.SIGTERM] = 0


def _end_soon(received: int) -> None:
    """Wait for a signal that ends a command, and see that it does."""
    while number := os.read(received, 1):
        if number[0] in _codes:
            time.sleep(SECONDS_TO_END)
            if _codes[number[0]] and not reported.is_set():
                os.write(2, b"Stopped. What was written stays; run it again to go on.\n")
            os._exit(_codes[number[0]])
    os.close(received)
