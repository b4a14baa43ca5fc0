"""One log line per search, from the page, the API or MCP."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

Way: TypeAlias = Literal["page", "search", "ask", "find", "mcp search", "mcp find"]

_log = logging.getLogger(__name__)


@contextmanager
def log_search(way: Way, question: str) -> Iterator[None]:
    """Log a search with its duration. The question itself is logged only on request: see
    :mod:`ui.ops.logs`.
    """
    began = time.perf_counter()
    yield
    seconds = round(time.perf_counter() - began, 4)
    _log.info("search", extra={"way": way, "seconds": seconds, "question": question})
