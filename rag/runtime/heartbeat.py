"""How a long run stays in touch with those who watch it, and who may end it.

Whatever takes long calls a heartbeat several times a second. It repeats the run's last step with
the time that has passed, so that progress never stands still; and what ``on_progress`` raises ends
the run there, which is how a run is cancelled.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol, TypeVar

from rag.types.reports import Progress, Stage

INTERVAL = 0.25
"""Seconds between two heartbeats that are passed on."""

T = TypeVar("T")


class Beat(Protocol):
    """Called by whatever takes long, at least a few times a second; may raise, to end it."""

    def __call__(self, done: int | None = None, total: int = 0) -> None:
        """``done`` of ``total`` units of the stage are done; None where nothing new is known."""
        ...


def unobserved(done: int | None = None, total: int = 0) -> None:
    """A heartbeat that nobody follows."""


class Heartbeat:
    """The heartbeat of one run."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress
        self._began = self._last = time.monotonic()
        self._step = Progress(files_done=0, files=0, passages=0, embedded=0, reused=0, source="")
        self._count: Callable[[], Progress] = lambda: self._step

    def __call__(self, done: int | None = None, total: int = 0) -> None:
        """As :class:`Beat` says; passed on when :data:`INTERVAL` is over."""
        if time.monotonic() - self._last >= INTERVAL:
            before = self._step
            far = (before.done, before.total) if done is None else (done, total)
            self._report(replace(self._count(), stage=before.stage, done=far[0], total=far[1]))

    def follow(self, count: Callable[[], Progress]) -> None:
        """Ask ``count`` with each beat how far the run is; its ``stage`` does not matter."""
        self._count = count

    def enter(self, stage: Stage) -> None:
        """Begin a stage."""
        self._report(replace(self._count(), stage=stage))

    def advance(self) -> None:
        """Pass on at once that the run is further; what comes now is not begun."""
        self._report(replace(self._count(), stage=self._step.stage))

    def relay(self, step: Progress) -> None:
        """Pass on at once a step that is counted elsewhere; later ones have its counts."""
        self._count = lambda: step
        self._report(step)

    def _report(self, step: Progress) -> None:
        self._last = time.monotonic()
        self._step = replace(step, seconds=self._last - self._began)
        self._on_progress(self._step)


def take(waiting: queue.Queue[T] | queue.SimpleQueue[T], beat: Beat) -> T:
    """The first of a queue, as soon as there is one."""
    while True:
        try:
            return waiting.get(timeout=INTERVAL)
        except queue.Empty:
            beat()


def result(future: Future[T], beat: Beat) -> T:
    """The result of what another thread does. What the beat raises is raised when that is done:
    nothing goes on behind the caller's back.
    """
    raised: BaseException | None = None
    while not wait([future], INTERVAL).done:
        try:
            beat()
        except BaseException as error:  # noqa: BLE001 - raised below
            raised = raised or error
    if raised:
        raise raised
    return future.result()


def run(call: Callable[[], T], beat: Beat) -> T:
    """Make a call that gives no heartbeats of its own, such as into a library."""
    if beat is unobserved:
        return call()
    with ThreadPoolExecutor(1, "rag-call") as pool:
        return result(pool.submit(call), beat)
