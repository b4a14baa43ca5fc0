"""Progress of an index run, as bars on standard error or passed to a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.types.reports import Progress

SECONDS_BETWEEN_LINES = 10.0
"""Interval between two plain lines of progress."""


@contextmanager
def progress_callback(
    progress: bool | Callable[[Progress], None],  # noqa: FBT001  (as in ``Library.index``)
) -> Iterator[Callable[[Progress], None]]:
    """The function to call with each step: progress bars for True, nothing for False."""
    if progress is True:
        with bars() as on_progress:
            yield on_progress
    else:
        yield progress or (lambda _: None)


def lines(write: Callable[[str], None]) -> Callable[[Progress], None]:
    """Print progress as a line now and then, for output that isn't a terminal."""
    last = 0.0

    def on_progress(step: Progress) -> None:
        nonlocal last
        if step.seconds - last >= SECONDS_BETWEEN_LINES:
            last = step.seconds
            if step.files:
                passages = step.embedded + step.reused
                far = f"{step.files_done:,} of {step.files:,} files, {passages:,} passages"
            else:
                far = f"{step.done:,} of {step.total:,}" if step.total else f"{step.done:,} so far"
            write(f"{step.stage}: {far} after {step.seconds:,.0f} s")

    return on_progress


@contextmanager
def bars() -> Iterator[Callable[[Progress], None]]:
    """Show bars for files and passages; yields the function to call with each step."""
    from rich import progress
    from rich.console import Console

    with progress.Progress(
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description:>11}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as drawn:
        files = drawn.add_task("files", total=None, rate="")
        passages = drawn.add_task("passages", total=None, rate="")

        stage = drawn.add_task("", total=None, rate="")

        def on_progress(step: Progress) -> None:
            total = step.total or None
            drawn.update(stage, description=step.stage, completed=step.done, total=total)
            drawn.update(files, total=step.files, completed=step.files_done)
            drawn.update(passages, total=step.passages, completed=step.embedded + step.reused)
            for task in drawn.tasks[:2]:
                speed = f"{task.speed:,.1f}/s" if task.speed else ""
                drawn.update(task.id, rate=speed)

        yield on_progress
