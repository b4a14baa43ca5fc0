"""Limit the number of glibc's malloc arenas, so that a process that runs for weeks doesn't grow.

glibc gives threads arenas of their own, up to eight per core, and each stays as large as it ever
was. A server starts new threads all the time: with sixteen arenas a process that indexed sixty
times grew from 494 to 663 MB, all of it free memory; with two it stayed between 484 and 501.

Only the command sets this. A program that uses rag as a package can set MALLOC_ARENA_MAX.
"""

from __future__ import annotations

import ctypes
import os
import sys

_ARENA_MAX = -8
"""M_ARENA_MAX in malloc.h."""


def limit_arenas() -> None:
    """From now on create at most one arena per core, if the C library is glibc."""
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
        if set_option is not None:
            set_option(_ARENA_MAX, os.cpu_count() or 1)
