"""Paths → the files to read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SourceNotFound
from rag.files import absolute, printable
from rag.loaders import supported
from rag.types import Failure

HIDDEN = (".", "~$")
"""How names begin that people don't mean: hidden files, and the locks of office programs."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What lies under the paths that were given.

    ``files`` are the absolute paths of what can be read, in order, and ``named`` those of them
    that were given by name; ``skipped`` is what lies in a folder but is of a kind that no loader
    reads. ``folders`` were followed: whatever the
    library has from there and is not among the files any more has gone.
    """

    files: tuple[Path, ...]
    named: tuple[Path, ...]
    skipped: tuple[Failure, ...]
    folders: tuple[Path, ...]

    def covers(self, path: str) -> bool:
        """Whether ``path`` lies in one of the folders."""
        return any(Path(path).is_relative_to(folder) for folder in self.folders)


def discover(
    paths: Sequence[str | Path], *, leave_out: Path, exclude: Sequence[str] = ()
) -> Discovery:
    """Look for files under paths.

    A file that is named is taken whatever its name; in folders, hidden files and folders (names
    that begin with a dot) and the folder ``leave_out`` (the library's own) are left out, and
    links to folders are not followed. So is what matches one of the patterns ``exclude``, which
    are those of a ``.gitignore`` in each folder that was given.

    Raises
    ------
    SourceNotFound
        If one of the paths does not exist.
    """
    files: dict[Path, None] = {}
    skipped: list[Failure] = []
    folders, named = [], []
    suffixes = supported()
    for given in paths:
        path = absolute(given)
        if path.is_dir():
            folders.append(path)
            for file in _walk(path, leave_out, _excluded(path, exclude)):
                # Without a suffix it may be text: its content will tell.
                if not file.suffix or file.suffix.lower() in suffixes:
                    files[file] = None
                else:
                    skipped.append(Failure(printable(file), f"{file.suffix} files are not read"))
        elif path.exists():
            files[path] = None
            named.append(path)
        else:
            raise SourceNotFound(
                f"there is no file or folder {given}; "
                "if it was indexed and is gone for good: rag remove PATH"
            )
    return Discovery(tuple(files), tuple(named), tuple(skipped), tuple(folders))


def _walk(folder: Path, leave_out: Path, excluded: Callable[[Path], bool]) -> Iterable[Path]:
    for root, names, files in os.walk(folder):
        here = Path(root)
        names[:] = sorted(
            name
            for name in names
            if not name.startswith(".") and here / name != leave_out and not excluded(here / name)
        )
        for name in sorted(files):
            if not name.startswith(HIDDEN) and not excluded(here / name):
                yield here / name


def _excluded(folder: Path, patterns: Sequence[str]) -> Callable[[Path], bool]:
    if not patterns:
        return lambda _: False
    from gitignore_parser import parse_gitignore_str

    matches: Callable[[Path], bool] = parse_gitignore_str("\n".join(patterns), base_dir=folder)
    return matches
