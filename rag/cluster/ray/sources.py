"""List the files under folders, and under prefixes in object storage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rag.cluster.ray import object_storage
from rag.documents.detection import is_ignored
from rag.documents.discovery import Discovery, discover, excluded
from rag.documents.registry import supported
from rag.errors import InputError
from rag.ingest.run_state import ListedFile, list_file
from rag.runtime.files import is_url, may_read, printable
from rag.types import Failure


@dataclass(frozen=True, slots=True)
class Sources:
    """The files under the given sources. ``folders`` is the
    :class:`rag.documents.discovery.Discovery` of the local folders, ``prefixes`` are the object
    storage prefixes that were listed, and ``unreadable`` are files that can't be accessed, with
    reasons.
    """

    files: tuple[ListedFile, ...]
    named: tuple[str, ...]
    skipped: tuple[Failure, ...]
    failed: tuple[Failure, ...]
    unreadable: tuple[Failure, ...]
    prefixes: tuple[str, ...]
    folders: Discovery | None

    @property
    def followed(self) -> bool:
        """Whether any folder or prefix was listed, from which files may have vanished."""
        return bool(self.prefixes or (self.folders and self.folders.folders))

    def covers(self, name: str) -> bool:
        """Whether a file would have been listed if it existed."""
        if is_url(name):
            return any(name.startswith(f"{prefix}/") for prefix in self.prefixes)
        return self.folders is not None and self.folders.covers(name)


def list_files(sources: Sequence[str | Path], exclude: Sequence[str] = ()) -> Sources:
    """List files under sources; names ignored in folders are ignored below a prefix, too.

    Raises
    ------
    SourceNotFound
        If one of them does not exist.
    InputError
        If one of the patterns is invalid, or object storage can't be accessed.
    """
    paths = [one for one in sources if not is_url(one)]
    folders = discover(paths, leave_out=None, exclude=exclude) if paths else None
    below = _ObjectFiles(exclude)
    for one in sources:
        if is_url(one):
            below.look_into(str(one).rstrip("/"))
    here: list[ListedFile] = []
    unreadable: list[Failure] = []
    for path in folders.files if folders else ():
        try:
            file = list_file(path)
        except InputError as error:
            unreadable.append(Failure(printable(path), str(error)))
        else:
            if may_read(path):
                here.append(file)
            else:
                reason = "it can't be read: Permission denied"
                unreadable.append(Failure(printable(path), reason))
    return Sources(
        files=(*here, *below.files.values()),
        named=(*map(str, folders.named if folders else ()), *below.named),
        skipped=(*(folders.skipped if folders else ()), *below.skipped.values()),
        failed=folders.failed if folders else (),
        unreadable=tuple(unreadable),
        prefixes=tuple(below.prefixes),
        folders=folders,
    )


@dataclass(slots=True)
class _ObjectFiles:
    """Files in object storage, without duplicates."""

    exclude: Sequence[str]
    suffixes: frozenset[str] = field(default_factory=supported)
    files: dict[str, ListedFile] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    skipped: dict[str, Failure] = field(default_factory=dict)

    def look_into(self, url: str) -> None:
        """Add the objects at a URL and below it."""
        found, is_single = object_storage.list_objects(url)
        if is_single:
            self.named.append(url)
            self.files[url] = found[0]
            return
        self.prefixes.append(url)
        # Patterns are matched on paths; these need not exist.
        top = Path("/") / url.partition("://")[2]
        left_out = excluded(top, self.exclude)
        for one in found:
            inner = PurePosixPath(one.name.removeprefix(f"{url}/"))
            if any(map(is_ignored, inner.parts)) or _is_excluded(top, inner, left_out):
                continue
            if not inner.suffix or inner.suffix.lower() in self.suffixes:
                self.files[one.name] = one
            else:
                reason = f"{inner.suffix} files are not read"
                self.skipped[one.name] = Failure(one.name, reason, "unsupported")


def _is_excluded(top: Path, inner: PurePosixPath, left_out: Callable[[str], bool]) -> bool:
    folders = [top / one for one in inner.parents if one.name]
    return any(left_out(f"{one}/") for one in folders) or left_out(str(top / inner))
