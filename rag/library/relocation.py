"""Rename a library's folder, including the paths of files inside it, such as uploads.

Before the folder is renamed, the library records where it is. Whoever opens it next finds the note,
and corrects the paths if the folder has a new name, so a crash in between does no harm.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.index.sqlite import Database, StoreWriter
from rag.models.named_models import MINILM
from rag.runtime.files import printable

NAME = "moving from"
"""Key under which the library stores its previous location."""


def announce(folder: Path) -> None:
    """Record the current location, since the folder may be about to be renamed.

    Raises
    ------
    LibraryError
        If the library can't be written.
    """
    with _opened(folder) as database:
        database.keep(NAME, printable(folder))


def settle(folder: Path) -> None:
    """Correct the paths of files inside the library's folder, if it was renamed.

    Raises
    ------
    LibraryDamaged
        If there is no library that can be read.
    LibraryError
        If it has to be written and can't be.
    """
    with _opened(folder) as database:
        before, now = database.note(NAME), printable(folder)
        if before is not None and before != now:
            StoreWriter(database).move(before + os.sep, now + os.sep)
            database.keep(NAME, None)


@contextmanager
def _opened(folder: Path) -> Iterator[Database]:
    database = Database(folder / "library.db", MINILM.dimension)  # no vector is read here
    try:
        yield database
    finally:
        database.close()
