"""Paths → the files to read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.errors import SourceNotFound
from rag.loaders import supported
from rag.types import Failure


@dataclass(frozen=True, slots=True)
class Discovery:
    """What lies under the paths that were given.

    ``files`` are the absolute paths of what can be read, in order; ``skipped`` is what lies in
    a folder but is of a kind that no loader reads. ``folders`` were followed: whatever the
    library has from there and is not among the files any more has gone.
    """

    files: tuple[Path, ...]
    skipped: tuple[Failure, ...]
    folders: tuple[Path, ...]

    def covers(self, path: str) -> bool:
        """Whether ``path`` lies in one of the folders."""
        return any(Path(path).is_relative_to(folder) for folder in self.folders)


def discover(paths: Sequence[str | Path], *, leave_out: Path) -> Discovery:
    """Look for files under paths.

    A file that is named is taken whatever its name; in folders, hidden files and folders (names
    that begin with a dot) and the folder ``leave_out`` (the library's own) are left out, and
    links to folders are not followed.

    Raises
    ------
    SourceNotFound
        If one of the paths does not exist.
    """
    files: dict[Path, None] = {}
    skipped: list[Failure] = []
    folders = []
    suffixes = supported()
    for given in paths:
        # Not resolved: a link keeps the name that people know it by.
        path = Path(os.path.abspath(Path(given).expanduser()))  # noqa: PTH100
        if path.is_dir():
            folders.append(path)
            for file in _walk(path, leave_out):
                if file.suffix.lower() in suffixes:
                    files[file] = None
                else:
                    reason = f"no loader for “{file.suffix}” files" if file.suffix else "no suffix"
                    skipped.append(Failure(str(file), reason))
        elif path.exists():
            files[path] = None
        else:
            raise SourceNotFound(
                f"there is no file or folder {given}; "
                "if it was indexed and is gone for good: rag remove PATH"
            )
    return Discovery(tuple(files), tuple(skipped), tuple(folders))


def _walk(folder: Path, leave_out: Path) -> Iterable[Path]:
    for root, names, files in os.walk(folder):
        if Path(root) == leave_out:
            names.clear()
            continue
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith("."):
                yield Path(root) / name
