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

    Nothing is delayed to fill a batch: a free slot takes whatever is there.

    Parameters
    ----------
    run
        Maps a batch of items to their results.
    most
        Maximum batch size.
    at_once
        Number of slots: runs at the same time.
    """

    def __init__(
        self, run: Callable[[Sequence[T]], Sequence[R]], *, most: int, at_once: int
    ) -> None:
        self._run = run
        self._most = most
        self._slots = threading.Semaphore(at_once)
        self._lock = threading.Lock()
        self._waiting: list[tuple[T, Future[R]]] = []

    def __call__(self, item: T) -> R:
        """Return the result for one item. An error in a run is raised for each item of its
        batch.
        """
        own: Future[R] = Future()
        with self._lock:
            self._waiting.append((item, own))
        while not own.done():
            with self._slots:
                batch = self._take_batch(own)
                if not batch:
                    break
                self._run_batch(batch)
        return own.result()

    def _take_batch(self, own: Future[R]) -> list[tuple[T, Future[R]]]:
        """Take the longest-waiting items; none if another thread has taken ``own``."""
        with self._lock:
            if not any(future is own for _, future in self._waiting):
                return []
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            return batch

    def _run_batch(self, batch: Sequence[tuple[T, Future[R]]]) -> None:
        try:
            results = self._run([item for item, _ in batch])
        except BaseException as error:  # noqa: BLE001 - each thread that waits raises it
            for _, future in batch:
                future.set_exception(error)
        else:
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)
