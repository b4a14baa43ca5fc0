"""What ends a command before its end: Ctrl-C, and SIGTERM, which means the same."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


@contextmanager
def ending() -> Iterator[None]:
    """In this block SIGTERM ends a command as Ctrl-C does, but for the exit code.

    By default it would end the process on the spot. That loses nothing either, but says nothing.
    """
    terminated = False

    def terminate(*_: object) -> None:
        nonlocal terminated
        terminated = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except SystemExit as ended:
        if terminated and ended.code == EXIT_INTERRUPTED:
            raise SystemExit(EXIT_TERMINATED) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def put_off(on_asked: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """In this block the first Ctrl-C or SIGTERM takes effect at the next call of what this gives,
    or at the block's end; the second does at once. ``on_asked`` is called with the first.

    Raises
    ------
    KeyboardInterrupt
        If one came.
    """
    asked: signal.Signals | None = None
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for one, handler in before.items():
            signal.signal(one, handler)

    def ask(number: int, _: FrameType | None) -> None:
        nonlocal asked
        asked = signal.Signals(number)
        restore()
        on_asked()

    def now() -> None:
        if asked is None:
            return
        handler = before[asked]
        if callable(handler):
            handler(asked, None)
        raise KeyboardInterrupt

    for one in before:
        signal.signal(one, ask)
    try:
        yield now
        now()
    finally:
        restore()
