"""The object storage: how it is reached, and what it says when it can't be used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from lance.commit import CommitConflictError

from rag.errors import LibraryBusy, LibraryError, LibraryNotFound


def options() -> dict[str, str]:
    """What Lance does not take from the environment by itself: that a server of one's own may
    speak without TLS.
    """
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
    return {"allow_http": "true"} if plain else {}


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
