"""Limit NumPy's BLAS threads and shorten Python's switch interval, so that threads don't compete.

A query is little work: its matrices are small, and tantivy and SQLite run a single query in the
calling thread; so does FAISS, when configured to (rag/index/vectors/faiss_index.py). NumPy's BLAS
splits even a small product over all cores, and its idle threads spin. When other work needs those
cores (eight users, an index run, another program), a forward pass that takes 0.1 s on one core has
taken 2.4 s on two. So the command gives each product one thread, and many queries run in many
threads.

Only the command sets this. A program that uses rag as a package can set OPENBLAS_NUM_THREADS=1. It
is not changed just for the duration of a query: OpenBLAS 0.3.31 ignores some of the threads that
try.

The threads of PyTorch and OpenVINO encode passages, which are worth all cores. PyTorch and FAISS
each bring their own OpenMP; tests/test_package.py loads both, in either order.
"""

from __future__ import annotations

import sys

TURN = 0.0005
"""Seconds for which a thread may hold the GIL while another waits for it."""


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
