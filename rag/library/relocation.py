"""A library's folder under another name: what lies in it, such as files that were sent, goes along.

The library says in a note where it is, before the folder is renamed. Whoever opens it next finds
the note, and corrects the paths if the folder is another one now: so a crash in between costs
nothing.
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
"""Under which the library keeps where it was."""


def announce(folder: Path) -> None:
    """Keep in mind that the library may soon be elsewhere.

    Raises
    ------
    LibraryError
        If it can't be written.
    """
    with _opened(folder) as database:
        database.keep(NAME, printable(folder))


def settle(folder: Path) -> None:
    """Correct the paths of what lies in the library's folder, if that was renamed.

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
