"""Run a call in a shared thread pool."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

MOST = 32
"""Size of the pool; further calls wait. A call must not wait for another one in the pool."""


def begun(call: Callable[[], T]) -> Callable[[], T]:
    """Start a call; returns a function that waits for its result or raises its exception.

    For work that releases the GIL, such as an index search.
    """
    return _threads(os.getpid()).submit(call).result


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """The pool of this process; a forked child can't use its parent's."""
    del process
    return ThreadPoolExecutor(MOST, "beside")
