"""Loaders that return parts, for tests of what is in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from rag.loaders.loaded import Loaded


def whole(load: Callable[[bytes], Iterator[Loaded]]) -> Callable[[bytes], Loaded]:
    """The loader, returning all parts as one; headings and pages are those of the first."""

    def load_whole(data: bytes) -> Loaded:
        first, *others = load(data)
        return replace(first, text="\n\n".join([first.text, *(one.text for one in others)]))

    return load_whole
