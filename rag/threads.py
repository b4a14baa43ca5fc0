"""How many threads the libraries under this one may use, so that they do not fight.

A question is little work: its matrices are small, and FAISS, tantivy and SQLite answer a single
one in the thread that asks. NumPy's BLAS is the exception: it splits even a small product over all
cores, and a thread of it that has nothing to do spins. Where others need those cores (eight people
asking, an indexing run, another program), a question that takes 20 ms in one thread has taken
seconds. So a question has one thread, and many questions have many.

PyTorch's threads, and OpenVINO's, belong to passages, which are worth all cores; so do neither
change here. Each of PyTorch and FAISS brings an OpenMP of its own; tests/test_package.py loads
both, in either order.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController, _ThreadpoolLimiter


class _OneThread:
    """Counts who is inside: the setting is the whole process's, so the first to come makes it, and
    the last to go takes it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limit: _ThreadpoolLimiter | None = None

    def enter(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit = _blas().limit(limits=1)
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._limit:
                self._limit.restore_original_limits()


_ONE_THREAD = _OneThread()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Within this, NumPy's products take one thread; any number of threads may be within."""
    _ONE_THREAD.enter()
    try:
        yield
    finally:
        _ONE_THREAD.leave()


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
