"""A call that goes on beside its caller, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def begun(call: Callable[[], T]) -> Callable[[], T]:
    """Begin a call; returns what waits for it, and gives its result or raises what it raised.

    For work that lets other threads run meanwhile: an index's search, say, which is not Python.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            outcome.set_exception(error)

    threading.Thread(target=run, name="beside", daemon=True).start()
    return outcome.result
