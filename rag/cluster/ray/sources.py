"""The files under folders, and under prefixes in object storage.

Like Lance, pyarrow takes credentials from the environment.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from pyarrow import fs

from rag.cluster.lance.storage import credentials
from rag.documents.detection import is_ignored
from rag.documents.discovery import Discovery, discover, excluded
from rag.documents.registry import supported
from rag.errors import InputError, SourceNotFound
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
    unreadable: tuple[Failure, ...]
    prefixes: tuple[str, ...]
    folders: Discovery

    @property
    def followed(self) -> bool:
        """Whether any folder or prefix was listed, from which files may have vanished."""
        return bool(self.prefixes or self.folders.folders)

    def covers(self, name: str) -> bool:
        """Whether a file would have been listed if it existed."""
        if is_url(name):
            return any(name.startswith(f"{prefix}/") for prefix in self.prefixes)
        return self.folders.covers(name)


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
    folders = discover(paths, leave_out=None, exclude=exclude)
    files: dict[str, ListedFile] = {}
    named, prefixes = [str(one) for one in folders.named], []
    skipped = {one.source: one for one in folders.skipped}
    unreadable: list[Failure] = []
    for path in folders.files:
        try:
            file = list_file(path)
        except InputError as error:
            unreadable.append(Failure(printable(path), str(error)))
            continue
        if may_read(path):
            files[file.name] = file
        else:
            unreadable.append(Failure(printable(path), "it can't be read: Permission denied"))
    for url in (str(one).rstrip("/") for one in sources if is_url(one)):
        found, is_single = list_objects(url)
        if is_single:
            named.append(url)
            files[url] = found[0]
            continue
        prefixes.append(url)
        for one in _included(found, url, exclude):
            suffix = PurePosixPath(one.name).suffix
            if not suffix or suffix.lower() in supported():
                files[one.name] = one
            else:
                reason = f"{suffix} files are not read"
                skipped[one.name] = Failure(one.name, reason, "unsupported")
    return Sources(
        files=tuple(files.values()),
        named=tuple(named),
        skipped=tuple(skipped.values()),
        unreadable=tuple(unreadable),
        prefixes=tuple(prefixes),
        folders=folders,
    )


def _included(
    found: Sequence[ListedFile], url: str, exclude: Sequence[str]
) -> Iterator[ListedFile]:
    """The objects below a URL that are not excluded by name or by pattern."""
    # Patterns are matched on paths; these need not exist.
    top = Path("/") / url.partition("://")[2]
    left_out = excluded(top, exclude)
    for one in found:
        inner = PurePosixPath(one.name.removeprefix(f"{url}/"))
        above = [f"{top / folder}/" for folder in inner.parents if folder.name]
        if not any(map(is_ignored, inner.parts)) and not any(
            map(left_out, [*above, str(top / inner)])
        ):
            yield one


def list_objects(url: str) -> tuple[list[ListedFile], bool]:
    """List the objects at a URL, by name, and tell whether it is a single object.

    Raises
    ------
    SourceNotFound
        If there are none.
    InputError
        If it can't be accessed.
    """
    try:
        storage, path = _storage_and_path(url)
        (info,) = storage.get_file_info([path])
        if info.type == fs.FileType.File:
            return [ListedFile(url, info.size, info.mtime_ns or 0)], True
        below = storage.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    except (OSError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise InputError(
            f"{url} can't be accessed ({reason}); check the address and the"
            " credentials in the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …)"
        ) from error
    listed = [
        ListedFile(url + one.path.removeprefix(path), one.size, one.mtime_ns or 0)
        for one in below
        if one.type == fs.FileType.File
    ]
    if not listed and info.type == fs.FileType.NotFound:
        raise SourceNotFound(
            f"there is nothing at {url}; if it was indexed and is gone for good: rag remove {url}"
        )
    return sorted(listed, key=lambda one: one.name), False


@contextmanager
def download(url: str, folder: Path) -> Iterator[Path]:
    """A temporary copy of an object, under its own name in a folder, for the duration of a block.

    Raises
    ------
    OSError
        If it can't be fetched.
    """
    storage, path = _storage_and_path(url)
    copy = folder / path.rpartition("/")[2]
    try:
        with storage.open_input_stream(path) as content, copy.open("wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _storage_and_path(url: str) -> tuple[fs.FileSystem, str]:
    """The file system and path that a URL refers to. Names are not URL-decoded: keys with ``%`` or
    ``#`` are not rare.
    """
    scheme, _, place = url.partition("://")
    bucket = place.partition("/")[0]
    return _storage(scheme, bucket, credentials()), place


@lru_cache(maxsize=16)
def _storage(scheme: str, bucket: str, _credentials: object) -> fs.FileSystem:
    if scheme == "s3":
        return fs.S3FileSystem(
            endpoint_override=os.environ.get("AWS_ENDPOINT_URL"),
            region=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        )
    return fs.FileSystem.from_uri(f"{scheme}://{bucket}")[0]
