"""Progress reporting and cancellation of long runs.

Long operations call a heartbeat several times a second. It repeats the last step with the elapsed
time, so that progress never stands still; an exception from ``on_progress`` ends the run, which is
how a run is cancelled.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Protocol, TypeVar

from rag.types.reports import Progress, Stage

INTERVAL = 0.25
"""Seconds between two heartbeats that are reported."""

T = TypeVar("T")


class Beat(Protocol):
    """Called by long operations at least a few times a second; may raise to abort them."""

    def __call__(self, done: int | None = None, total: int = 0) -> None:
        """Report that ``done`` of ``total`` units of the stage are done; None if unchanged."""
        ...


def no_heartbeat(done: int | None = None, total: int = 0) -> None:
    """A heartbeat that does nothing."""


class Heartbeat:
    """The heartbeat of one run."""

    def __init__(self, on_progress: Callable[[Progress], None]) -> None:
        self._on_progress = on_progress
        self._began = self._last = time.monotonic()
        self._step = Progress(files_done=0, files=0, passages=0, embedded=0, reused=0, source="")
        self._count: Callable[[], Progress] = lambda: self._step

    def __call__(self, done: int | None = None, total: int = 0) -> None:
        """See :class:`Beat`; reports at most once per :data:`INTERVAL`."""
        if time.monotonic() - self._last >= INTERVAL:
            before = self._step
            far = (before.done, before.total) if done is None else (done, total)
            self._report(replace(self._count(), stage=before.stage, done=far[0], total=far[1]))

    def follow(self, count: Callable[[], Progress]) -> None:
        """Set the function that returns the run's progress; the ``stage`` in it is ignored."""
        self._count = count

    def enter(self, stage: Stage) -> None:
        """Start a stage."""
        self._report(replace(self._count(), stage=stage))

    def advance(self) -> None:
        """Report progress at once; the next item has not been started."""
        self._report(replace(self._count(), stage=self._step.stage))

    def relay(self, step: Progress) -> None:
        """Report progress counted elsewhere at once; later heartbeats repeat its counts."""
        self._count = lambda: step
        self._report(step)

    def _report(self, step: Progress) -> None:
        self._last = time.monotonic()
        self._step = replace(step, seconds=self._last - self._began)
        self._on_progress(self._step)


def with_beats(items: Iterable[T], beat: Beat) -> Iterator[T]:
    """The items, with a heartbeat before each; in a transaction, one that raises rolls it back."""
    for one in items:
        beat()
        yield one


def take(waiting: queue.Queue[T] | queue.SimpleQueue[T], beat: Beat) -> T:
    """The next item of a queue, with a heartbeat even if there is nothing to wait for."""
    beat()
    while True:
        try:
            return waiting.get(timeout=INTERVAL)
        except queue.Empty:
            beat()


def result(future: Future[T], beat: Beat) -> T:
    """Wait for a future with heartbeats. An exception from the heartbeat is raised only once the
    future is done, so that nothing keeps running behind the caller's back.
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
    """Make a call that has no heartbeats of its own, such as into a third-party library."""
    if beat is no_heartbeat:
        return call()
    with ThreadPoolExecutor(1, "rag-call") as pool:
        return result(pool.submit(call), beat)


def run_reporting(call: Callable[[Beat], T], beat: Beat) -> T:
    """Make a call in a thread, and report its progress from this one; if reporting raises, as it
    does to cancel, the call ends at its next heartbeat.
    """
    progress: tuple[int | None, int] = None, 0
    raised = False

    def note(done: int | None = None, total: int = 0) -> None:
        nonlocal progress
        progress = done, total
        if raised:
            raise _Aborted

    def pass_on(done: int | None = None, total: int = 0) -> None:  # noqa: ARG001 (as a Beat)
        nonlocal raised
        try:
            beat(*progress)
        except BaseException:
            raised = True
            raise

    return run(lambda: call(note), pass_on)


class _Aborted(Exception):
    """Ends a call whose result isn't wanted any more."""
