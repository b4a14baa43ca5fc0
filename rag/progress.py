"""Progress of an index run as bars on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.types import Progress


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
    ) as shown:
        files = shown.add_task("files", total=None, rate="")
        passages = shown.add_task("passages", total=None, rate="")

        def on_progress(step: Progress) -> None:
            shown.update(files, total=step.files, completed=step.files_done)
            shown.update(passages, total=step.passages, completed=step.embedded)
            for task in shown.tasks:
                speed = f"{task.speed:,.1f}/s" if task.speed else ""
                shown.update(task.id, rate=speed)

        yield on_progress
