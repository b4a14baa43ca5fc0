"""How many threads the libraries under this one may use, so that they do not fight.

A question is little work: its matrices are small, and tantivy and SQLite answer a single one in
the thread that asks; so does FAISS, where it is told to (rag/index/vectors/faiss_index.py). NumPy's
BLAS splits even a small product over all cores, and a thread of it that has nothing to do spins.
Where others need those cores (eight people asking, an indexing run, another program), a pass that
takes 0.1 s on one core has taken 2.4 s on two. So the command gives each product one thread, and
many questions have many.

A program of the user's own is not the command's to set: there, OPENBLAS_NUM_THREADS=1 does the
same. It is not set for the time of a question and set back: OpenBLAS 0.3.31 ignores some of the
threads that try.

PyTorch's threads, and OpenVINO's, belong to passages, which are worth all cores. PyTorch and FAISS
each bring an OpenMP of their own; tests/test_package.py loads both, in either order.
"""

from __future__ import annotations

import sys

TURN = 0.0005
"""Seconds for which a thread may keep Python's interpreter while another waits for it."""


def short_turns() -> None:
    """From now on threads take turns ten times as often as Python has them do by itself.

    A question asks for the interpreter after each product, each look into an index and each read;
    a thread that indexes meanwhile may keep it for a whole turn each time.
    """
    sys.setswitchinterval(TURN)


def one_blas_thread() -> None:
    """From now on NumPy's products take one thread each, in the whole process.

    To be called by the main thread, once NumPy is there.
    """
    from threadpoolctl import ThreadpoolController

    ThreadpoolController().select(user_api="blas").limit(limits=1)
