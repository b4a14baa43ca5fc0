"""Micro-batching: concurrent queries share one forward pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class MicroBatcher(Generic[T, R]):
    """Runs an item immediately if a slot is free, and otherwise batches it with the others waiting.

    Nothing is delayed to fill a batch: a free slot takes whatever is there. Items that arrive while
    all slots are busy form one batch as soon as a slot is free.

    Parameters
    ----------
    run
        Maps a batch of items to their results.
    most
        Maximum batch size.
    at_once
        Maximum number of concurrent runs.
    """

    def __init__(
        self, run: Callable[[Sequence[T]], Sequence[R]], *, most: int, at_once: int
    ) -> None:
        self._run = run
        self._most = most
        self._free = at_once
        self._changed = threading.Condition()
        self._waiting: list[tuple[T, Future[R]]] = []

    def __call__(self, item: T) -> R:
        """Return the result for one item. An error in a run is raised for each item of its
        batch.
        """
        mine: Future[R] = Future()
        with self._changed:
            self._waiting.append((item, mine))
        while not mine.done():
            self._settle(self._next(mine))
        return mine.result()

    def _next(self, mine: Future[R]) -> list[tuple[T, Future[R]]]:
        """Take the longest-waiting items for this thread to run; empty if ``mine`` is done."""

        def is_turn() -> bool:
            return self._free > 0 and any(one is mine for _, one in self._waiting)

        with self._changed:
            self._changed.wait_for(lambda: mine.done() or is_turn())
            if mine.done():
                return []
            self._free -= 1
            taken, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            return taken

    def _settle(self, taken: Sequence[tuple[T, Future[R]]]) -> None:
        if not taken:
            return
        try:
            results = self._run([item for item, _ in taken])
        except BaseException as error:  # noqa: BLE001 - each thread that waits raises it
            for _, future in taken:
                future.set_exception(error)
        else:
            for (_, future), result in zip(taken, results, strict=True):
                future.set_result(result)
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
