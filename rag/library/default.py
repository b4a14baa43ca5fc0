"""The default library: where it is, and one function to query it."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from rag.index.folder import STORE, store_folder
from rag.library.library import Library
from rag.runtime.files import is_url
from rag.types import Hit

LIBRARY_VARIABLE = "RAG_LIBRARY"
"""The environment variable for the default library's folder or URL."""


def default_library() -> str | Path:
    """``$RAG_LIBRARY``, a folder or a URL, or else ``.rag`` in the current folder."""
    named = os.environ.get(LIBRARY_VARIABLE) or ".rag"
    return named if is_url(named) else Path(named).expanduser().absolute()


def retrieve(question: str, k: int = 5) -> list[Hit]:
    """Find the ``k`` passages of the default library that best answer a question.

    >>> retrieve("How many hertz is the song of a whale?", k=1)[0].answer.text
    'Blue whales sing at twenty hertz.'

    The library stays open between calls, so only the first one loads the model.

    Raises
    ------
    LibraryNotFound
        If nothing is indexed yet.
    EmptyQuestion
        If the question has no letter or digit.
    InputError
        If ``k`` is below 1.
    """
    place = default_library()
    return _open(place, _inode(place)).search(question, k)


def _inode(place: str | Path) -> int:
    """Inode of the store, 0 if there is none; it reveals that a library was recreated."""
    if is_url(place):
        return 0
    store = store_folder(Path(place)) / STORE
    return store.stat().st_ino if store.exists() else 0


@lru_cache(maxsize=1)
def _open(place: str | Path, _inode: int) -> Library:
    return Library.open(place, create=False)
