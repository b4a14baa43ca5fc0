"""Paths → the files to read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.documents.ignored_names import is_debris
from rag.documents.registry import supported
from rag.errors import InputError, SourceNotFound
from rag.runtime.files import absolute, is_made_up, is_url, printable
from rag.runtime.heartbeat import Beat, unobserved
from rag.types import Failure

_LIBRARY = frozenset({"library.db", "published.json"})
"""Files by which a folder shows that it is a library."""

_IS_MADE_UP = "the system makes up what is in it, and such folders aren't read"
_IS_LINK = "it is a link to a folder, and such links aren't followed; index that folder itself"


@dataclass(frozen=True, slots=True)
class Discovery:
    """What lies under the paths that were given.

    ``files`` are the absolute paths of what can be read, in order, and ``named`` those of them
    that were given by name. ``skipped`` is what lies in a folder but is of a kind that no loader
    reads, and links to folders; ``failed`` are folders that can't be looked into. ``folders``
    were followed: whatever the library has from there and is not among the files any more has
    gone, unless it is below one that failed, or in the folder of the ``library``, where only
    folders that were given are followed.
    """

    files: tuple[Path, ...]
    named: tuple[Path, ...]
    skipped: tuple[Failure, ...]
    folders: tuple[Path, ...]
    library: Path | None
    failed: tuple[Failure, ...] = ()
    unseen: tuple[Path, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether ``path`` lies in one of the folders, and would have been seen there."""
        file = Path(path)
        if any(map(file.is_relative_to, self.unseen)):
            return False
        followed = [folder for folder in self.folders if file.is_relative_to(folder)]
        if self.library and file.is_relative_to(self.library):
            return any(self.library in folder.parents for folder in followed)
        return bool(followed)


def discover(
    paths: Sequence[str | Path],
    *,
    leave_out: Path | None,
    exclude: Sequence[str] = (),
    beat: Beat = unobserved,
) -> Discovery:
    """Look for files under paths.

    A file that is named is taken whatever its name. In folders, these are left out without a
    word: what is hidden, a lock or left behind by a system; libraries, among them the one in the
    folder ``leave_out``, if that is given; and what matches the patterns ``exclude``, which are
    those of a ``.gitignore`` in each folder that was given. Links to files are read under their
    own name.

    Raises
    ------
    SourceNotFound
        If one of the paths does not exist, or can't be looked at.
    InputError
        If one of the patterns is none, or a path a URL.
    """
    found = _Found(_identity(leave_out) if leave_out else None, exclude, beat)
    for given in paths:
        path = absolute(given)
        if _is_folder(path, given):
            found.look_into(path)
        else:
            found.named.append(path)
            found.files[path] = None
    return Discovery(
        files=tuple(found.files),
        named=tuple(found.named),
        skipped=tuple(found.skipped.values()),
        folders=tuple(found.folders),
        failed=tuple(found.failed.values()),
        unseen=tuple(found.failed),
        library=absolute(leave_out) if leave_out else None,
    )


def _is_folder(path: Path, given: str | Path) -> bool:
    if is_url(given):
        raise InputError(f"{given} is in object storage, which a Ray cluster reads: --ray local")
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceNotFound(
            f"there is no file or folder {given}; "
            "if it was indexed and is gone for good: rag remove PATH"
        ) from error
    except OSError as error:
        raise SourceNotFound(
            f"{given} can't be looked at ({error.strerror}); check who may read it"
        ) from error


@dataclass(slots=True)
class _Found:
    """What was found so far, each path once, in order."""

    library: tuple[int, int] | None
    patterns: Sequence[str]
    beat: Beat
    suffixes: frozenset[str] = field(default_factory=supported)
    files: dict[Path, None] = field(default_factory=dict)
    named: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    skipped: dict[Path, Failure] = field(default_factory=dict)
    failed: dict[Path, Failure] = field(default_factory=dict)

    def look_into(self, folder: Path) -> None:
        """Find the files in a folder and in those below it."""
        self.folders.append(folder)
        left_out = excluded(folder, self.patterns)
        for root, names, files in os.walk(folder, onerror=self._fail):
            here = Path(root)
            self.beat(len(self.files))
            if is_made_up(here.stat()):
                self._skip(here, _IS_MADE_UP)
                names.clear()
                continue
            if _LIBRARY.issubset(files) or (self.library and _identity(here) == self.library):
                names.clear()
                continue
            folders = [here / name for name in sorted(names) if not is_debris(name)]
            folders = [one for one in folders if not left_out(f"{one}{os.sep}")]
            for link in filter(Path.is_symlink, folders):
                self._skip(link, _IS_LINK)
            names[:] = [one.name for one in folders]
            for file in (here / name for name in sorted(files) if not is_debris(name)):
                self.beat(len(self.files))
                if not left_out(str(file)):
                    self._take(file)

    def _take(self, file: Path) -> None:
        # Without a suffix it may be text: its content will tell.
        if not file.suffix or file.suffix.lower() in self.suffixes:
            self.files[file] = None
        else:
            self._skip(file, f"{file.suffix} files are not read")

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped[path] = Failure(printable(path), reason)

    def _fail(self, error: OSError) -> None:
        path = Path(error.filename)
        reason = f"it can't be looked into ({error.strerror}); check who may read it"
        self.failed[path] = Failure(printable(path), reason)


def _identity(folder: Path) -> tuple[int, int] | None:
    """What a folder is known by whatever path leads to it; None where there is none."""
    try:
        facts = folder.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def excluded(folder: Path, patterns: Sequence[str]) -> Callable[[str], bool]:
    """Tells whether a path below ``folder`` matches; that of a folder ends with a slash."""
    if not patterns:
        return lambda _: False
    from gitignore_parser import parse_gitignore_str

    base = _on_one_line(folder)
    for pattern in patterns:
        try:
            parse_gitignore_str(pattern, base_dir=base)(f"{base}{os.sep}any")
        except (IndexError, re.error) as error:
            raise InputError(
                f"“{pattern}” is no pattern as in a .gitignore; see https://git-scm.com/docs/gitignore"
            ) from error
    matches: Callable[[str], bool] = parse_gitignore_str("\n".join(patterns), base_dir=base)
    return lambda path: matches(_on_one_line(path))


def _on_one_line(path: str | Path) -> str:
    """The path as the patterns can match it, for which a line feed in a name is its end."""
    return str(path).replace("\n", "?")
