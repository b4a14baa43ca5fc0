"""A line in the log for each search, whoever asked: the page, a program, an assistant."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

Way: TypeAlias = Literal["page", "search", "ask", "find", "mcp search", "mcp find"]

_log = logging.getLogger(__name__)


@contextmanager
def logged(way: Way, question: str) -> Iterator[None]:
    """While something is looked for. What it was is written only where that is wanted:
    :mod:`ui.ops.logs`.
    """
    began = time.perf_counter()
    yield
    seconds = round(time.perf_counter() - began, 4)
    _log.info("search", extra={"way": way, "seconds": seconds, "question": question})
