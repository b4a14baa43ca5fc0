"""Translate errors for clients that must not learn about this machine. Pure.

The library's errors name folders and files, for the person at the terminal. A web page or a remote
program gets a message without paths.
"""

from __future__ import annotations

from rag import (
    DiskFull,
    InputError,
    LibraryBusy,
    LibraryError,
    LibraryMismatch,
    LibraryNotFound,
    ModelError,
    RagError,
    SourceNotFound,
)

BUSY = "another process is writing to this library; try again when it is done"
NO_SUCH_FILE = "there is no such file or folder on this machine, or it can't be accessed"
UNEXPECTED = "something went wrong; the terminal that runs rag says more"

_WORDS: tuple[tuple[type[RagError], str], ...] = (
    (LibraryBusy, BUSY),
    (DiskFull, "there is no room left on the disk; free some, then try again"),
    (
        LibraryNotFound,
        (
            "the library is gone: its folder was moved or removed, or its disk is not there; the "
            "terminal that runs rag says more"
        ),
    ),
    (
        LibraryMismatch,
        "it is of another version of rag or of another model; the terminal that runs rag says more",
    ),
    (
        LibraryError,
        "something is wrong with the library's files; the terminal that runs rag says more",
    ),
    (ModelError, "the model can't be used; the terminal that runs rag says more"),
    (SourceNotFound, NO_SUCH_FILE),
)


def public_message(error: Exception) -> str:
    """One line for a user: what is wrong and what to do, without a path of this machine."""
    for kind, line in _WORDS:
        if isinstance(error, kind):
            return line
    # Other input errors refer only to what the caller sent.
    return str(error) if isinstance(error, InputError) else UNEXPECTED
