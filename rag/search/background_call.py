"""A call that goes on beside its caller, in a thread that is kept for the next one."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

MOST = 32
"""Calls at once; more wait for one of these to end. None may begin another and wait for it."""


def begun(call: Callable[[], T]) -> Callable[[], T]:
    """Begin a call; returns what waits for it, and gives its result or raises what it raised.

    For work that lets other threads run meanwhile: an index's search, say, which is not Python.
    """
    return _threads(os.getpid()).submit(call).result


@lru_cache(maxsize=1)
def _threads(process: int) -> ThreadPoolExecutor:
    """Those of this process: after a fork, the child has none of its parent's."""
    del process
    return ThreadPoolExecutor(MOST, "beside")
