"""What a reader means by a name that is to go: everything indexed under it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.engine import Reader
from rag.errors import SourceNotFound
from rag.files import absolute


def named(names: Sequence[str | Path], store: Reader) -> tuple[list[str], list[str]]:
    """The sources and the files in these files and folders, each once.

    Raises
    ------
    SourceNotFound
        If nothing is indexed under one of the names.
    """
    known = [source.path for source in store.sources()]
    sources: dict[str, None] = {}
    files: dict[str, None] = {}
    for name in names:
        path = absolute(name)
        found = [one for one in known if Path(one).is_relative_to(path)]
        if not found:
            raise SourceNotFound(f"nothing is indexed under {name}; rag report lists what is")
        sources.update(dict.fromkeys(found))
        files.update((one, None) for one in store.files() if Path(one).is_relative_to(path))
    return list(sources), list(files)
