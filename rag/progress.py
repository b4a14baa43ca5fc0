"""Progress of an index run as bars on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rag.types import Progress


@contextmanager
def bars() -> Iterator[Callable[[Progress], None]]:
    """Show a bar of files, with the number of passages; gives the function to call with each
    step.
    """
    from rich import progress
    from rich.console import Console

    with progress.Progress(
        progress.TextColumn("Indexing"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("files · {task.fields[passages]} passages"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as shown:
        task = shown.add_task("", total=None, passages=0)

        def on_progress(step: Progress) -> None:
            shown.update(task, total=step.files, completed=step.files_done, passages=step.embedded)

        yield on_progress
