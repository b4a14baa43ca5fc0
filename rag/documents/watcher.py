"""Watch folders for changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.runtime.files import absolute

QUIET_MS = 1000
"""Changes are reported once nothing more has happened for this long, in milliseconds: editors save
in several steps."""

LONGEST_MS = 10_000
"""Maximum delay of a report, in milliseconds."""


TIMEOUT_MS = 500
"""Polling interval of the watcher, in milliseconds."""


def changes(paths: Sequence[Path], *, leave_out: Path | None) -> Iterator[None]:
    """Yield whenever something changed under the paths, outside the folder ``leave_out``.

    Yields first as soon as watching begins, since something may have changed before. Ends with
    KeyboardInterrupt.
    """
    from watchfiles import watch

    def matters(_: object, path: str) -> bool:
        return leave_out is None or not Path(path).is_relative_to(leave_out)

    watched = [absolute(path) for path in paths]
    watching = False
    for found in watch(
        *watched,
        watch_filter=matters,
        step=QUIET_MS,
        debounce=LONGEST_MS,
        rust_timeout=TIMEOUT_MS,
        yield_on_timeout=True,
    ):
        if found or not watching:
            watching = True
            yield
