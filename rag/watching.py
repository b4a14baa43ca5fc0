"""Telling when something changes in folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.files import absolute

QUIET_MS = 1000
"""Changes are told when nothing more has happened for a while: editors write in several steps."""

LONGEST_MS = 10_000
"""… but at the latest after so long."""


def changes(paths: Sequence[Path], *, leave_out: Path) -> Iterator[None]:
    """Yield whenever something changed under the paths, outside the folder ``leave_out``.

    Ends with KeyboardInterrupt.
    """
    from watchfiles import watch

    def matters(_: object, path: str) -> bool:
        return not Path(path).is_relative_to(leave_out)

    watched = [absolute(path) for path in paths]
    for _ in watch(*watched, watch_filter=matters, step=QUIET_MS, debounce=LONGEST_MS):
        yield
