"""Uploaded files, kept in a folder inside the library's, and the route that takes them.

A file is written under a temporary name and renamed when it is complete, so a file under its own
name is always whole.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rag import InputError, Library
from ui.api import problems, write_access

FOLDER = "files"
"""The folder's name, inside the library's folder."""

GIBIBYTE = 1024**3
MOST_BYTES = 2 * GIBIBYTE
"""Size limit of one file, in bytes."""

LONGEST_NAME = 200
"""Maximum length of a name in UTF-8 bytes: below the limit of common file systems."""

ANY_BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

_DRAFT = ".sent-"
_SECONDS_TO_LOCK = 60.0
"""A draft gets locked within this time; an older one without a lock was left by a server that was
killed.
"""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of control, line-breaking and unencodable characters."""

_NOT_ON_WINDOWS = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{device}{number}" for device in ("COM", "LPT") for number in "0123456789¹²³"}
)
"""Device names reserved by Windows, whatever the extension."""

_LONGEST_ENDING = 20


class TooLarge(Exception):
    """A file exceeds the size limit."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored upload."""

    name: str
    """The name to index it by. Differs from the one sent if that was unsafe or taken by another
    file.
    """
    size: int
    """In bytes."""
    new: bool
    """False if the same content was already stored under this name."""


class Draft:
    """A file that is being uploaded."""

    def __init__(self, folder: Path, most: int, file: IO[bytes], naming: threading.Lock) -> None:
        self._folder = folder
        self._most = most
        self._file = file
        self._naming = naming
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Append a chunk.

        Raises
        ------
        TooLarge
            If the file exceeds the size limit.
        OSError
            If it can't be written: the disk is full, for example.
        """
        self._size += len(piece)
        if self._size > self._most:
            raise TooLarge
        self._file.write(piece)
        self._digest.update(piece)

    def keep(self, name: str) -> StoredFile:
        """Give the completed file its name, which must be safe.

        The same content under the same name counts as the same file. If another file has the name,
        this one gets a number.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        with self._naming:  # of two uploads with the same content, one comes second
            return self._named(name)

    def _named(self, name: str) -> StoredFile:
        number = 1
        while True:
            target = self._folder / _number(name, number)
            try:
                # No other server can create it in between: we replace only our own placeholder.
                os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                if self._is_in(target):
                    return StoredFile(target.name, self._size, new=False)
                number += 1
            else:
                try:
                    Path(self._file.name).replace(target)
                except BaseException:
                    target.unlink()
                    raise
                return StoredFile(target.name, self._size, new=True)

    def _is_in(self, target: Path) -> bool:
        if not target.is_file() or target.stat().st_size != self._size:
            return False
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == self._digest.digest()


class Uploads:
    """The folder of uploaded files. Thread-safe."""

    def __init__(self, library: Path | None) -> None:
        self._library = library
        self.most = MOST_BYTES
        self._naming = threading.Lock()
        self._sending: set[Path] = set()

    @property
    def folder(self) -> Path:
        """Where uploads are stored."""
        if self._library is None:
            raise InputError(
                "a shared library keeps no files; index them where they lie: rag index PATH "
                "--library URL"
            )
        return self._library / FOLDER

    @contextmanager
    def draft(self, size: int = 0) -> Iterator[Draft]:
        """Open a draft to upload a file of this size into, if it is known; it is deleted unless
        kept.

        Raises
        ------
        TooLarge
            If the size exceeds the limit.
        OSError
            If the folder can't be written.
        InputError
            If the library is shared and has no folder.
        """
        if size > self.most:
            raise TooLarge
        self.folder.mkdir(exist_ok=True)
        self._sweep()
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=_DRAFT, delete=False) as file:
            path = Path(file.name)
            self._sending.add(path)
            _lock(file.file)
            try:
                yield Draft(self.folder, self.most, file.file, self._naming)
            finally:
                with suppress(OSError):  # the disk may be full; the draft is discarded anyway
                    file.close()
                path.unlink(missing_ok=True)
                self._sending.discard(path)

    def find(self, names: Sequence[str]) -> list[Path]:
        """Resolve names returned by :meth:`Draft.keep` to paths.

        Raises
        ------
        InputError
            If there is no such upload.
        """
        if not names:
            return []
        if not all(safe_name(name) == name and (self.folder / name).is_file() for name in names):
            raise InputError("there is no such file here; send it first")
        return [self.folder / name for name in names]

    def _sweep(self) -> None:
        """Delete drafts left by servers that were killed."""
        for path in self.folder.glob(f"{_DRAFT}*"):
            if path in self._sending:  # under way, however old it looks: the clock may be off
                continue
            with suppress(FileNotFoundError, PermissionError):  # kept, swept or in use meanwhile
                if time.time() - path.stat().st_mtime > _SECONDS_TO_LOCK and not _is_locked(path):
                    path.unlink()


def _lock(file: IO[bytes]) -> None:
    """Lock a draft until it is closed or the process dies; a no-op on systems that don't let open
    files be deleted.
    """
    if os.name == "posix":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            _lock(file)
    except BlockingIOError:
        return True
    return False


def routes(library: Library, uploads: Uploads) -> APIRouter:
    """Create the upload route."""
    router = APIRouter(tags=["files"])

    @router.put(
        "/files/{name:path}",
        status_code=201,
        dependencies=[Depends(write_access.require_owner)],
        openapi_extra=ANY_BYTES,
        responses={
            200: {"model": StoredFile, "description": "The file was already here"},
            **problems.declared(
                problems.NOT_FROM_HERE,
                problems.NOT_FOUND,  # a name with a line break doesn't match the route
                problems.TOO_LARGE,
                problems.NOT_KEPT,
            ),
        },
    )
    async def send_file(name: str, request: Request, response: Response) -> StoredFile:
        """Upload a file, byte for byte, into the library's own folder.

        It is not indexed yet: start a job with its name among ``files``.
        """
        # Otherwise a folder that vanished would be created again, without its library.
        await run_in_threadpool(library.ensure_available)
        kept = await _store(request, safe_name(name), uploads)
        response.status_code = 201 if kept.new else 200
        return kept

    return router


async def _store(request: Request, name: str, uploads: Uploads) -> StoredFile:
    announced = request.headers.get("content-length", "")
    try:
        # Not in a thread: the draft is then deleted however the request ends.
        with uploads.draft(int(announced) if announced.isdecimal() else 0) as draft:
            async for piece in request.stream():
                if piece:  # the last chunk is empty
                    await run_in_threadpool(draft.write, piece)
            return await run_in_threadpool(draft.keep, name)
    except TooLarge as error:
        raise problems.Refused(
            problems.TOO_LARGE,
            f"a file may have up to {uploads.most / GIBIBYTE:g} GiB; index a larger one by its "
            "path",
        ) from error
    except ClientDisconnect as error:  # the client left; avoids a traceback
        raise problems.Refused(problems.INVALID, "the upload is incomplete") from error
    except OSError as error:
        raise problems.Refused(
            problems.NOT_KEPT, f"the file can't be written on this machine: {error.strerror}"
        ) from error


def safe_name(given: str) -> str:
    """Make a safe file name of one that a client sent.

    The result is the last part of a path in NFC, without control characters or reserved names, and
    at most ``LONGEST_NAME`` bytes long.

    Raises
    ------
    InputError
        If nothing is left of it.
    """
    last = given.replace("\\", "/").rpartition("/")[2]
    seen = "".join(one for one in last if unicodedata.category(one) not in _UNSEEN)
    name = unicodedata.normalize("NFC", seen).translate(_NOT_ON_WINDOWS).strip(". ")
    if name.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        name = f"_{name}"
    name = _with_suffix(name, "")
    if not any(one.isalnum() for one in name):
        raise InputError(
            "a file needs a name of letters or digits; name it otherwise, and send it again"
        )
    return name


def _number(name: str, number: int) -> str:
    """``a.pdf``, ``a (2).pdf``, ``a (3).pdf`` …"""
    return name if number == 1 else _with_suffix(name, f" ({number})")


def _with_suffix(name: str, addition: str) -> str:
    """Insert an addition before the extension, shortening the stem to fit."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 (a name, not a path)
    if len(ending.encode()) > _LONGEST_ENDING:
        stem, ending = name, ""
    room = LONGEST_NAME - len(f"{addition}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + addition + ending
