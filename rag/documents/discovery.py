"""Find the files to read under given paths, and watch the paths for changes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.documents.detection import BEGINNING, PICTURES, is_ignored, is_text
from rag.documents.read_options import ONLY_A_PICTURE
from rag.documents.registry import supported
from rag.errors import InputError, SourceNotFound
from rag.runtime.files import absolute, is_url, is_virtual, open_file, printable
from rag.runtime.heartbeat import Beat, no_heartbeat
from rag.types import Failure

_LIBRARY = frozenset({"library.db", "published.json"})
"""Files that mark a folder as a library …"""

_STORE = re.compile(r"store-\d+")
"""… and the name of a folder in a re-encoded one, which has them instead."""

_IS_MADE_UP = "it is in a virtual file system, and those aren't read"
_IS_LINK = "it is a link to a folder, and such links aren't followed; index the folder itself"

QUIET_MS = 1000
"""Changes are reported once nothing more has happened for this long, in milliseconds: editors save
in several steps."""

LONGEST_MS = 10_000
"""Maximum delay of a report, in milliseconds."""

TIMEOUT_MS = 500
"""Polling interval of the watcher, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """Result of a search for files.

    ``files`` are the absolute paths of readable files, in order, and ``named`` those of them that
    were given by name. ``skipped`` are files of unsupported formats and links to folders;
    ``failed`` are folders that can't be read. ``folders`` were searched: any source of the library
    below them that is not among the files has been deleted, unless it lies below a failed folder,
    or in the folder of the ``library``, where only explicitly given folders are searched, or is a
    picture, which without ``pictures`` are skipped.
    """

    files: tuple[Path, ...]
    named: tuple[Path, ...]
    skipped: tuple[Failure, ...]
    folders: tuple[Path, ...]
    library: Path | None
    failed: tuple[Failure, ...] = ()
    unseen: tuple[Path, ...] = ()
    pictures: bool = True

    def covers(self, path: str) -> bool:
        """Whether ``path`` lies in one of the folders and would have been found if it existed."""
        file = Path(path)
        if any(map(file.is_relative_to, self.unseen)):
            return False
        if not self.pictures and file.suffix.lower() in PICTURES and file.exists():
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
    pictures: bool = True,
    beat: Beat = no_heartbeat,
) -> Discovery:
    """Find files under paths.

    A file given by name is always included. In folders, the following are skipped silently: hidden
    files, locks and system files; libraries, including the one in the folder ``leave_out``, if
    given; and matches of the patterns ``exclude``, which work like a ``.gitignore`` in each given
    folder. Without ``pictures`` these are among the skipped files of folders, for want of OCR.
    Links to files are read under their own name.

    Raises
    ------
    SourceNotFound
        If one of the paths does not exist or can't be accessed.
    InputError
        If one of the patterns is invalid, or a path is a URL.
    """
    library = absolute(leave_out) if leave_out else None
    search = _Search(_identity(library) if library else None, exclude, beat, pictures=pictures)
    named, folders = [], []
    for given in paths:
        path = absolute(given)
        if _is_folder(path, given):
            folders.append(path)
            search.look_into(path)
        else:
            named.append(path)
            search.files[path] = None
    return Discovery(
        files=tuple(search.files),
        named=tuple(named),
        skipped=tuple(search.skipped.values()),
        folders=tuple(folders),
        failed=tuple(search.failed.values()),
        unseen=tuple(search.failed),
        library=library,
        pictures=pictures,
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
            f"{given} can't be accessed ({error.strerror}); check who may read it"
        ) from error


class _Search:
    """Files found so far, without duplicates, in order."""

    def __init__(
        self,
        library: tuple[int, int] | None,
        patterns: Sequence[str],
        beat: Beat,
        *,
        pictures: bool,
    ) -> None:
        self._library, self._patterns, self._beat = library, patterns, beat
        self._pictures = pictures
        self._suffixes = supported()
        self.files: dict[Path, None] = {}
        self.skipped: dict[Path, Failure] = {}
        self.failed: dict[Path, Failure] = {}

    def look_into(self, folder: Path) -> None:
        """Search a folder and its subfolders."""
        left_out = excluded(folder, self._patterns)
        for root, names, files in os.walk(folder, onerror=self._fail):
            here = Path(root)
            self._beat(len(self.files))
            if is_virtual(here.stat()):
                self._skip(here, _IS_MADE_UP)
                names.clear()
                continue
            if _is_library(here, names, files) or (
                self._library and _identity(here) == self._library
            ):
                names.clear()
                continue
            folders = [here / name for name in sorted(names) if not is_ignored(name)]
            folders = [one for one in folders if not left_out(f"{one}{os.sep}")]
            for link in filter(Path.is_symlink, folders):
                self._skip(link, _IS_LINK)
            names[:] = [one.name for one in folders]
            for file in (here / name for name in sorted(files) if not is_ignored(name)):
                self._beat(len(self.files))
                if not left_out(str(file)):
                    self._take(file)

    def _take(self, file: Path) -> None:
        # A file without a suffix may be a document; any other may be text.
        is_known = not file.suffix or file.suffix.lower() in self._suffixes
        refusal = None if is_known else _refusal(file)
        if not self._pictures and file.suffix.lower() in PICTURES:
            refusal = ONLY_A_PICTURE
        if refusal:
            self._skip(file, refusal)
        else:
            self.files[file] = None

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped[path] = Failure(printable(path), reason, "unsupported")

    def _fail(self, error: OSError) -> None:
        path = Path(error.filename)
        reason = f"it can't be listed ({error.strerror}); check who may read it"
        self.failed[path] = Failure(printable(path), reason)


def _refusal(path: Path) -> str | None:
    """Why a file with an unsupported suffix is skipped; None if it is text, or a file that can't be
    opened, of which its reader informs.
    """
    try:
        with open_file(path) as file:
            beginning = file.read(BEGINNING)
    except OSError:
        return None if path.is_file() else f"{path.suffix} files are not read"
    if not beginning:
        return "it is empty"
    if is_text(beginning):
        return None
    return f"{path.suffix} files are not read"


def _is_library(here: Path, folders: Sequence[str], files: Sequence[str]) -> bool:
    """Whether a folder with these folders and files in it is a library."""
    return _LIBRARY.issubset(files) or any(
        all((here / name / file).exists() for file in _LIBRARY)
        for name in folders
        if _STORE.fullmatch(name)
    )


def _identity(folder: Path) -> tuple[int, int] | None:
    """Device and inode of a folder, the same for every path to it; None if it doesn't exist."""
    try:
        facts = folder.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def excluded(folder: Path, patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return a predicate for paths below ``folder`` that match the patterns; folders end with a
    slash.
    """
    if not patterns:
        return lambda _: False
    from gitignore_parser import parse_gitignore_str

    base = _on_one_line(folder)
    for pattern in patterns:
        try:
            parse_gitignore_str(pattern, base_dir=base)(f"{base}{os.sep}any")
        except (IndexError, re.error) as error:
            raise InputError(
                f"“{pattern}” is not a valid .gitignore pattern; see https://git-scm.com/docs/gitignore"
            ) from error
    matches: Callable[[str], bool] = parse_gitignore_str("\n".join(patterns), base_dir=base)
    return lambda path: matches(_on_one_line(path))


def _on_one_line(path: str | Path) -> str:
    """Replace line feeds, at which the pattern matcher would end a path."""
    return str(path).replace("\n", "?")


def changes(paths: Sequence[Path], *, leave_out: Path | None) -> Iterator[None]:
    """Yield whenever something changed under the paths, outside the folder ``leave_out``.

    Yields first as soon as watching begins, since something may have changed before. Ends with
    KeyboardInterrupt.
    """
    from watchfiles import watch

    def matters(_: object, path: str) -> bool:
        return leave_out is None or not Path(path).is_relative_to(leave_out)

    watching = False
    for found in watch(
        *map(absolute, paths),
        watch_filter=matters,
        step=QUIET_MS,
        debounce=LONGEST_MS,
        rust_timeout=TIMEOUT_MS,
        yield_on_timeout=True,
    ):
        if found or not watching:
            watching = True
            yield
