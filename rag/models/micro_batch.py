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
        own: Future[R] = Future()
        with self._changed:
            self._waiting.append((item, own))
        while not own.done():
            self._run_batch(self._take_batch(own))
        return own.result()

    def _take_batch(self, own: Future[R]) -> list[tuple[T, Future[R]]]:
        """Take the longest-waiting items for this thread to run; empty if ``own`` is done."""

        def has_turn() -> bool:
            return self._free > 0 and any(one is own for _, one in self._waiting)

        with self._changed:
            self._changed.wait_for(lambda: own.done() or has_turn())
            if own.done():
                return []
            self._free -= 1
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            return batch

    def _run_batch(self, batch: Sequence[tuple[T, Future[R]]]) -> None:
        if not batch:
            return
        try:
            results = self._run([item for item, _ in batch])
        except BaseException as error:  # noqa: BLE001 - each thread that waits raises it
            for _, future in batch:
                future.set_exception(error)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
