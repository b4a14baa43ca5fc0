"""Progress of an index run: as bars on standard error, or told to a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.reports import Progress


@contextmanager
def shown(
    progress: bool | Callable[[Progress], None],  # noqa: FBT001  (as in ``Library.index``)
) -> Iterator[Callable[[Progress], None]]:
    """The function to call with each step: bars for True, nothing for False."""
    if progress is True:
        with bars() as on_progress:
            yield on_progress
    else:
        yield progress or _unseen


def _unseen(_: Progress) -> None:
    """Progress that nobody asked for."""


@contextmanager
def bars() -> Iterator[Callable[[Progress], None]]:
    """Show a bar of files and one of passages; gives the function to call with each step."""
    from rich import progress
    from rich.console import Console

    with progress.Progress(
        progress.TextColumn("{task.description:>9}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as drawn:
        files = drawn.add_task("files", total=None, rate="")
        passages = drawn.add_task("passages", total=None, rate="")

        def on_progress(step: Progress) -> None:
            drawn.update(files, total=step.files, completed=step.files_done)
            drawn.update(passages, total=step.passages, completed=step.embedded + step.reused)
            for task in drawn.tasks:
                speed = f"{task.speed:,.1f}/s" if task.speed else ""
                drawn.update(task.id, rate=speed)

        yield on_progress
