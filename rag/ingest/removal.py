"""What a reader means by a name that is to go: everything indexed under it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os.path import normcase
from pathlib import Path

from rag.errors import SourceNotFound
from rag.index.engine import Reader
from rag.runtime.files import absolute, is_url


def named(names: Sequence[str | Path], store: Reader) -> tuple[list[str], list[str]]:
    """The sources and the files in these files and folders, each once.

    Raises
    ------
    SourceNotFound
        If nothing is indexed under one of the names.
    """
    known, read = store.paths()
    sources: dict[str, None] = {}
    files: dict[str, None] = {}
    for name in names:
        path = str(name) if is_url(name) else absolute(name)
        found = _within(path, known)
        if not found:
            raise SourceNotFound(f"nothing is indexed under {name}; rag report lists what is")
        sources.update(dict.fromkeys(found))
        files.update(dict.fromkeys(_within(path, read)))
    return list(sources), list(files)


def _within(folder: Path | str, paths: Iterable[str]) -> list[str]:
    """Those that are this path, or lie below it."""
    # Most are told apart by how they begin, which takes a fiftieth of making paths of them.
    beginning = normcase(folder)
    alike = (one for one in paths if normcase(one).startswith(beginning))
    return [one for one in alike if Path(one).is_relative_to(folder)]
