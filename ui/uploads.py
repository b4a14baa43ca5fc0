"""Files that were sent to the server, in a folder of the library's own.

A file is written under another name until all of it is there; then it gets its own at once. So
whatever ends the sending, what lies under a file's name is whole.
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
from typing import IO

from rag import InputError

FOLDER = "files"
"""The folder within the library's."""

MOST_BYTES = 2 * 1024**3
"""That a file may have."""

LONGEST_NAME = 200
"""Bytes that a name may have in UTF-8: what file systems take, and room to spare."""

NO_NAME = "a file needs a name of letters or digits; name it otherwise, and send it again"
NO_FOLDER = (
    "a shared library keeps no files; index them where they lie: rag index PATH --library URL"
)
NOT_SENT = "there is no such file here; send it first"

_DRAFT = ".sent-"
_SECONDS_TO_LOCK = 60.0
"""By then whoever made a draft has locked it: an older one without a lock was left by a server that
was killed."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of characters that control or break lines, or can't be written."""

_NOT_ON_WINDOWS = str.maketrans(dict.fromkeys('<>:"|?*', "_"))
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{device}{number}" for device in ("COM", "LPT") for number in "0123456789¹²³"}
)
"""What Windows takes for a device, whatever the ending."""

_LONGEST_ENDING = 20


class TooLarge(Exception):
    """A file has more bytes than a server takes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that lies in the folder; ``new`` is whether it did not before."""

    path: Path
    size: int
    new: bool


class Draft:
    """A file that is being sent, piece by piece."""

    def __init__(self, folder: Path, most: int, file: IO[bytes], naming: threading.Lock) -> None:
        self._folder = folder
        self._most = most
        self._file = file
        self._naming = naming
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Take in the next piece.

        Raises
        ------
        TooLarge
            If it is more than may be sent.
        OSError
            If it can't be written: the disk is full, say.
        """
        self._size += len(piece)
        if self._size > self._most:
            raise TooLarge
        self._file.write(piece)
        self._digest.update(piece)

    def keep(self, name: str) -> Kept:
        """Give the file its name, now that all of it is there; ``name`` is a safe one.

        The same content under this name is the same file. Another file of the name stays as it
        is, and this one is numbered.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        with self._naming:  # of two with the same content, one comes second
            return self._named(name)

    def _named(self, name: str) -> Kept:
        number = 1
        while True:
            target = self._folder / _numbered(name, number)
            try:
                # No other server can have made it: what is put in its place is ours.
                os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                if self._is_in(target):
                    return Kept(target, self._size, new=False)
                number += 1
            else:
                try:
                    Path(self._file.name).replace(target)
                except BaseException:
                    target.unlink()
                    raise
                return Kept(target, self._size, new=True)

    def _is_in(self, target: Path) -> bool:
        if not target.is_file() or target.stat().st_size != self._size:
            return False
        with target.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == self._digest.digest()


class Uploads:
    """The folder of files that were sent. Any number of threads may send some at once."""

    def __init__(self, library: Path | None) -> None:
        self._library = library
        self.most = MOST_BYTES
        self._naming = threading.Lock()
        self._sending: set[Path] = set()

    @property
    def folder(self) -> Path:
        """Where they lie."""
        if self._library is None:
            raise InputError(NO_FOLDER)
        return self._library / FOLDER

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A file to be sent; what is not kept by the end is as if it had never been.

        Raises
        ------
        OSError
            If nothing can be written there.
        InputError
            If the library has no folder: a shared one.
        """
        self.folder.mkdir(exist_ok=True)
        self._sweep()
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=_DRAFT, delete=False) as file:
            path = Path(file.name)
            self._sending.add(path)
            _lock(file.file)
            try:
                yield Draft(self.folder, self.most, file.file, self._naming)
            finally:
                with suppress(OSError):  # there is no room for the rest, which is not kept anyhow
                    file.close()
                path.unlink(missing_ok=True)
                self._sending.discard(path)

    def find(self, names: Sequence[str]) -> list[Path]:
        """The files of these names, as :meth:`Draft.keep` gave them.

        Raises
        ------
        InputError
            If one was never sent.
        """
        if not names:
            return []
        if not all(safe(name) == name and (self.folder / name).is_file() for name in names):
            raise InputError(NOT_SENT)
        return [self.folder / name for name in names]

    def _sweep(self) -> None:
        """Clear away what a server that was killed had been sent half of."""
        for path in self.folder.glob(f"{_DRAFT}*"):
            if path in self._sending:  # however old it looks: the clock may just have been set
                continue
            with suppress(FileNotFoundError, PermissionError):  # kept or swept just now; or in use
                if time.time() - path.stat().st_mtime > _SECONDS_TO_LOCK and not _is_locked(path):
                    path.unlink()


def _lock(file: IO[bytes]) -> None:
    """Hold a lock on a draft until it is closed, by this process or by its death; where the system
    keeps open files from being removed, there is no need of it.
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


def safe(given: str) -> str:
    """The name under which a file is kept, whatever it was called where it comes from.

    It is the last part of a path, in composed letters, with nothing in it that controls or that
    a system takes for something else, and at most ``LONGEST_NAME`` bytes.

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
    name = _cut(name, "")
    if not any(one.isalnum() for one in name):
        raise InputError(NO_NAME)
    return name


def _numbered(name: str, number: int) -> str:
    """``a.pdf``, ``a (2).pdf``, ``a (3).pdf`` …"""
    return name if number == 1 else _cut(name, f" ({number})")


def _cut(name: str, addition: str) -> str:
    """The name with an addition before its ending, and so much of it as there is room for."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122 (a name, not a path)
    if len(ending.encode()) > _LONGEST_ENDING:
        stem, ending = name, ""
    room = LONGEST_NAME - len(f"{addition}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + addition + ending
