"""The object storage: how it is reached, what is kept of it in memory, and what it says when it
can't be used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from lance import Session  # type: ignore[attr-defined]  # which its documentation names
from lance.commit import CommitConflictError

from rag.errors import LibraryBusy, LibraryError, LibraryNotFound
from rag.runtime.byte_sizes import told_size

MEMORY_VARIABLE = "RAG_SHARED_CACHE_LIMIT"
"""The environment variable that says how many bytes of shared libraries a process may keep."""

DEFAULT_MEMORY = 2_000_000_000
"""The vectors' index of one and a half million passages; Lance's own bounds are 7 GB."""

OF_TABLES = 8
"""One part in so many is for what describes the tables, the rest for their indexes."""


def options() -> dict[str, str]:
    """What Lance does not take from the environment by itself: that a server of one's own may
    speak without TLS.
    """
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {"allow_http": "true"} if plain else {}


def credentials() -> tuple[tuple[str, str], ...]:
    """What the environment says of object storages. Lance and pyarrow look once for each address,
    so what they keep must be another where this is.
    """
    known = ("AWS_", "AZURE_", "GOOGLE_")
    return tuple(sorted(one for one in os.environ.items() if one[0].startswith(known)))


def kept() -> Session:
    """What this process keeps in memory of all shared libraries, the least recently used going
    first.

    Raises
    ------
    InputError
        If ``$RAG_SHARED_CACHE_LIMIT`` is no size.
    """
    return _kept(told_size(MEMORY_VARIABLE, DEFAULT_MEMORY), credentials())


@lru_cache(maxsize=1)
def _kept(limit: int, _credentials: object) -> Session:
    tables = limit // OF_TABLES
    return Session(index_cache_size_bytes=limit - tables, metadata_cache_size_bytes=tables)


@contextmanager
def told(url: str) -> Iterator[None]:
    """Raise what Lance and the object storage say as an error of the library's."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        said = _said(error)
        if "was not found" in said:
            raise LibraryNotFound(
                f"there is no library at {url}; make one: rag index PATH --library {url}"
            ) from error
        if "onflict" in said or isinstance(error, CommitConflictError):
            raise LibraryBusy(
                f"others write to {url} without a pause ({said}); try again when they are done"
            ) from error
        raise LibraryError(
            f"{url} can't be read or written ({said}); check the address and the credentials in the"
            " environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …), then run it again"
        ) from error


def _said(error: Exception) -> str:
    """What went wrong, as short as it can be said: the server's own words are a page of XML."""
    whole = " ".join(str(error).split()) or type(error).__name__
    status = re.search(r"status code: (\d+ [A-Za-z ]+)", whole)
    return f"its server says {status[1].strip()}" if status else whole.partition(", /")[0][:300]
