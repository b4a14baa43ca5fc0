"""The default library: where it is, and asking it without further ado."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from rag.library import Library
from rag.types import Hit

LIBRARY_VARIABLE = "RAG_LIBRARY"
"""The environment variable that names the default library's folder."""


def default_library() -> Path:
    """``$RAG_LIBRARY``, or else ``.rag`` in the current folder."""
    return Path(os.environ.get(LIBRARY_VARIABLE) or ".rag").expanduser().absolute()


def retrieve(question: str, k: int = 5) -> list[Hit]:
    """Find the ``k`` passages of the default library that best answer a question.

    The library stays open between calls, so that only the first waits for the model.

    Raises
    ------
    LibraryNotFound
        If nothing is indexed yet.
    EmptyQuestion
        If there is no letter and no digit in the question.
    InputError
        If ``k`` is below 1.
    """
    folder = default_library()
    # A library that was deleted and made anew is another file, and opened anew.
    store = folder / "library.db"
    return _opened(folder, store.stat().st_ino if store.exists() else 0).search(question, k)


@lru_cache(maxsize=1)
def _opened(folder: Path, _inode: int) -> Library:
    return Library.open(folder, create=False)
