"""Object storage: options, cache, and translation of errors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from lance import Session  # type: ignore[attr-defined]  # which its documentation names
from lance.commit import CommitConflictError

from rag.errors import LibraryBusy, LibraryError, LibraryNotFound
from rag.runtime.byte_sizes import size_from_environment

MEMORY_VARIABLE = "RAG_SHARED_CACHE_LIMIT"
"""Environment variable for the cache size of all shared libraries in a process, in bytes."""

DEFAULT_MEMORY = 2_000_000_000
"""Default cache size in bytes: enough for the vector index of 1.5 million passages; Lance's own
limits are 7 GB."""

OF_TABLES = 8
"""One in this many bytes of the cache is for table metadata, the rest for indexes."""


def options() -> dict[str, str]:
    """Options that Lance does not read from the environment: that a self-hosted server may use
    plain HTTP.
    """
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {"allow_http": "true"} if plain else {}


def credentials() -> tuple[tuple[str, str], ...]:
    """The environment's credentials. Lance and pyarrow read them once per cache key, so they must
    be part of it.
    """
    known = ("AWS_", "AZURE_", "GOOGLE_")
    return tuple(sorted(one for one in os.environ.items() if one[0].startswith(known)))


def shared_session() -> Session:
    """The process-wide LRU cache for all shared libraries.

    Raises
    ------
    InputError
        If ``$RAG_SHARED_CACHE_LIMIT`` is not a size.
    """
    return _session(size_from_environment(MEMORY_VARIABLE, DEFAULT_MEMORY), credentials())


@lru_cache(maxsize=1)
def _session(limit: int, _credentials: object) -> Session:
    tables = limit // OF_TABLES
    return Session(index_cache_size_bytes=limit - tables, metadata_cache_size_bytes=tables)


@contextmanager
def translate_errors(url: str) -> Iterator[None]:
    """Translate errors of Lance and the object storage to our own."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        message = _short_message(error)
        if "was not found" in message:
            raise LibraryNotFound(
                f"there is no library at {url}; make one: rag index PATH --library {url}"
            ) from error
        if "onflict" in message or isinstance(error, CommitConflictError):
            raise LibraryBusy(
                f"other processes keep writing to {url} ({message}); try again when they are done"
            ) from error
        raise LibraryError(
            f"{url} can't be read or written ({message}); check the address and the credentials in "
            "the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …), then run it again"
        ) from error


def _short_message(error: Exception) -> str:
    """Shorten an error message: servers send a page of XML."""
    whole = " ".join(str(error).split()) or type(error).__name__
    status = re.search(r"status code: (\d+ [A-Za-z ]+)", whole)
    return f"its server says {status[1].strip()}" if status else whole.partition(", /")[0][:300]
