"""Progress of a long series of questions: a bar, or lines without a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.cli.output import err, escape

STEPS_BETWEEN_LINES = 500
"""Steps between two lines if the output is not a terminal."""


def is_terminal() -> bool:
    """Whether standard error is a terminal."""
    return sys.stderr.isatty()


@contextmanager
def show_progress(things: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a callback that takes, after each step, the task, the number of steps done and the
    total.

    ``things`` is the unit, such as ``questions``.
    """
    if not is_terminal():
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
