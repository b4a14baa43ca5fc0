"""Translate errors for clients that must not learn about this machine. Pure.

The library's errors name folders and files, for the person at the terminal. A web page or a remote
program gets a message without paths.
"""

from __future__ import annotations

from collections.abc import Mapping

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

_MORE = "the terminal that runs rag says more"
NO_SUCH_FILE = "there is no such file or folder on this machine, or it can't be accessed"
UNEXPECTED = f"something went wrong; {_MORE}"

_LINES: Mapping[type[RagError], str] = {
    LibraryBusy: "another process is writing to this library; try again when it is done",
    DiskFull: "there is no room left on the disk; free some, then try again",
    LibraryNotFound: (
        "the library is gone: its folder was moved or removed, or its disk is not there; " + _MORE
    ),
    LibraryMismatch: f"it is of another version of rag or of another model; {_MORE}",
    LibraryError: f"something is wrong with the library's files; {_MORE}",
    ModelError: f"the model can't be used; {_MORE}",
    SourceNotFound: NO_SUCH_FILE,
}
"""Special kinds of errors come before the kinds that they are of."""


def public_message(error: Exception) -> str:
    """One line for a user: what is wrong and what to do, without a path of this machine."""
    for kind, line in _LINES.items():
        if isinstance(error, kind):
            return line
    # Other input errors refer only to what the caller sent.
    return str(error) if isinstance(error, InputError) else UNEXPECTED
