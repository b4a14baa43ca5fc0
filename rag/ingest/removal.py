"""Resolve paths given to ``rag remove`` to indexed sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os.path import normcase
from pathlib import Path

from rag.errors import SourceNotFound
from rag.index.engine import Reader
from rag.runtime.files import absolute, is_url


def resolve(
    names: Sequence[str | Path], folders: Sequence[str], others: Sequence[str], store: Reader
) -> tuple[list[str], list[str]]:
    """The sources and the files to remove, without duplicates: those under these files and folders,
    and those in ``folders`` that lie in none of the ``others``.

    Raises
    ------
    SourceNotFound
        If nothing is indexed under one of the names.
    """
    known = [source.path for source in store.sources()]
    for name in names:
        if not within(name, known):
            raise SourceNotFound(f"nothing is indexed under {name}; rag report lists what is")

    def found(paths: Sequence[str]) -> list[str]:
        kept = {path for folder in others for path in within(folder, paths)}
        inside = (path for folder in folders for path in within(folder, paths))
        under = (path for name in names for path in within(name, paths))
        return list(dict.fromkeys([*under, *(path for path in inside if path not in kept)]))

    return found(known), found([*store.files()])


def within(name: str | Path, paths: Iterable[str]) -> list[str]:
    """The paths that equal a folder, or are below it; it may be a URL."""
    folder = str(name) if is_url(name) else absolute(name)
    # A comparison of prefixes rules most out, in a fiftieth of the time of constructing paths.
    beginning = normcase(folder)
    alike = (one for one in paths if normcase(one).startswith(beginning))
    return [one for one in alike if Path(one).is_relative_to(folder)]
