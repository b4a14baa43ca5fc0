"""List and fetch files in object storage. Like Lance, pyarrow takes credentials from the
environment.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from pyarrow import fs

from rag.cluster.lance.storage import credentials
from rag.errors import InputError, SourceNotFound
from rag.ingest.run_state import ListedFile


def list_objects(url: str) -> tuple[list[ListedFile], bool]:
    """List the objects at a URL, by name, and tell whether it is a single object.

    Raises
    ------
    SourceNotFound
        If there are none.
    InputError
        If it can't be accessed.
    """
    url = url.rstrip("/")
    try:
        storage, path = _storage_and_path(url)
        (info,) = storage.get_file_info([path])
        if info.type == fs.FileType.File:
            return [_list(url, path, info)], True
        below = storage.get_file_info(fs.FileSelector(path, recursive=True, allow_not_found=True))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{url} can't be accessed ({_first_line(error)}); check the address and the"
            " credentials in the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, …)"
        ) from error
    listed = [_list(url, path, one) for one in below if one.type == fs.FileType.File]
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


def _list(url: str, top: str, info: fs.FileInfo) -> ListedFile:
    return ListedFile(url + info.path.removeprefix(top), info.size, info.mtime_ns or 0)


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


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
