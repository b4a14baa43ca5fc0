"""How far a long series of questions is: a bar, or lines where nobody watches."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.reports import Progress
from rag.terminal import count, err, escape

SECONDS_BETWEEN_LINES = 10.0
"""Seconds between two plain lines of ``rag index``, where the output is no terminal."""

STEPS_BETWEEN_LINES = 500
"""Steps between two plain lines, where the output is no terminal."""


def is_watched() -> bool:
    """Whether a person sees what is written to standard error."""
    return sys.stderr.isatty()


@contextmanager
def progress_of(things: str) -> Iterator[Callable[[str, int, int], None]]:
    """Something to tell, after each step, what it belongs to, how many are done, of how many.

    ``things`` is what is counted, ``questions`` say.
    """
    if not is_watched():
        yield lambda task, done, total: _plain(task, done, total, things)
        return
    from rich import progress

    with progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as shown:
        tasks: dict[str, progress.TaskID] = {}

        def on_progress(task: str, done: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = shown.add_task(task, total=total)
            shown.update(tasks[task], completed=done)

        yield on_progress


def _plain(task: str, done: int, total: int, things: str) -> None:
    if done % STEPS_BETWEEN_LINES == 0 or done == total:
        err.print(f"{escape(task)}: {done:,} of {total:,} {things}", soft_wrap=True)


@contextmanager
def index_lines() -> Iterator[Callable[[Progress], None]]:
    """A line every ten seconds on how far an index run is, also while no step comes: for a log or a
    pipe. Gives the function to call with each step.
    """
    newest: Progress | None = None
    over = threading.Event()

    def on_progress(step: Progress) -> None:
        nonlocal newest
        newest = step

    def print_lines() -> None:
        while not over.wait(SECONDS_BETWEEN_LINES):
            err.print(_line(newest), soft_wrap=True)

    printing = threading.Thread(target=print_lines, name="progress", daemon=True)
    printing.start()
    try:
        yield on_progress
    finally:
        over.set()
        printing.join()


def _line(step: Progress | None) -> str:
    if step is None:
        return "looking for files"
    embedded = f"{count(step.embedded, 'passage')} embedded"
    reused = f", {step.reused:,} reused" if step.reused else ""
    return f"{step.files_done:,} of {count(step.files, 'file')}, {embedded}{reused}"
