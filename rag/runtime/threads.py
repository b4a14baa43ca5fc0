"""Settings of the process that keep threads from competing, and its memory from growing.

Only the command applies them. A program that uses rag as a package can set OPENBLAS_NUM_THREADS=1
and MALLOC_ARENA_MAX.

BLAS threads: a query is little work. Its matrices are small, and tantivy, SQLite and FAISS run a
single query in the calling thread, but NumPy's BLAS splits even a small product over all cores, and
its idle threads spin. When other work needs those cores (eight users, an index run, another
program), a forward pass that takes 0.1 s on one core has taken 2.4 s on two. So each product gets
one thread, and many queries run in many. This is not changed just for the duration of a query:
OpenBLAS 0.3.31 ignores some of the threads that try. The threads of PyTorch and OpenVINO encode
passages, which are worth all cores. PyTorch and FAISS each bring their own OpenMP;
tests/test_package.py loads both, in either order.

Malloc arenas: glibc gives threads arenas of their own, up to eight per core, and each stays as
large as it ever was. A server starts new threads all the time: with sixteen arenas a process that
indexed sixty times grew from 494 to 663 MB, all of it free memory; with two it stayed between 484
and 501.
"""

from __future__ import annotations

import ctypes
import os
import sys

TURN = 0.0005
"""Seconds for which a thread may hold the GIL while another waits for it."""

_ARENA_MAX = -8
"""M_ARENA_MAX in malloc.h."""


def shorten_switch_interval() -> None:
    """Set Python's thread switch interval to a tenth of its default.

    A query releases and reacquires the GIL at each matrix product, index search and read; a thread
    that is indexing may hold it for a whole interval each time.
    """
    sys.setswitchinterval(TURN)


def limit_blas_to_one_thread() -> None:
    """From now on NumPy's products use one thread each, in the whole process.

    To be called by the main thread.
    """
    import numpy  # noqa: F401, ICN001 (its BLAS can be limited only once it is loaded)
    from threadpoolctl import ThreadpoolController

    ThreadpoolController().select(user_api="blas").limit(limits=1)


def limit_arenas() -> None:
    """From now on create at most one arena per core, if the C library is glibc."""
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
        if set_option is not None:
            set_option(_ARENA_MAX, os.cpu_count() or 1)
