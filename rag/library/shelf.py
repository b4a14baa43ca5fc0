"""Several libraries in one folder, each in a subfolder with its name."""

from __future__ import annotations

import datetime as dt
import os
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from rag.errors import InputError, LibraryDamaged, LibraryNotFound, NameTaken, RagError
from rag.index.folder import locked
from rag.library import opener, relocation
from rag.library.library import Library
from rag.runtime.files import absolute
from rag.types.protocols import Embedder

LONGEST_NAME = 64
"""Maximum characters in a library's name."""

_UNWRITABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of control and format characters, surrogates and separators, which may break
or reverse text, or can't be encoded."""

_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL"}
    | {f"{device}{number}" for device in ("COM", "LPT") for number in range(1, 10)}
)
"""Device names reserved by Windows, whatever the extension."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """Summary of a library in a list.

    ``newest`` is the latest date of its documents. ``trouble`` is the reason why the library can't
    be opened; the counts are 0 then.
    """

    name: str
    documents: int = 0
    passages: int = 0
    newest: dt.date | None = None
    trouble: RagError | None = None


class Shelf:
    """The libraries in a folder. Those with the same model share it: it is loaded once.

    Thread-safe.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open the shelf in a folder.

        Raises
        ------
        InputError
            If there is no such folder, or it is a library itself.
        """
        self.folder = absolute(folder)
        self._sharing = threading.Lock()
        self._embedders: dict[str, Embedder] = {}
        if not self.folder.is_dir():
            raise InputError(f"there is no folder {self.folder}; make it, or name another one")
        if (self.folder / "library.db").exists():
            raise InputError(
                f"{self.folder} is a library itself; name the folder that it lies in, or serve it "
                f"alone: --library {self.folder}"
            )

    def names(self) -> list[str]:
        """The libraries' names in case-insensitive alphabetical order.

        Hidden folders, and those without a library, are left out.

        Raises
        ------
        LibraryNotFound
            If the shelf's folder is gone, or may not be read.
        """
        try:
            entries = list(self.folder.iterdir())
        except OSError as error:
            raise self._gone(error) from error
        found = (
            entry.name
            for entry in entries
            if not entry.name.startswith(".")
            and os.path.isfile(entry / "library.db")  # noqa: PTH113 (false where one may not look)
            and _is_text(entry.name)
        )
        return sorted(found, key=lambda name: (name.casefold(), name))

    def list(self) -> list[Shelved]:
        """A summary of each library; one that can't be opened has the reason."""
        return [self.look(name) for name in self.names()]

    def look(self, name: str) -> Shelved:
        """A summary of one library."""
        try:
            with self.open(name) as library:
                status, newest = library.status(), library.documents(1)
        except RagError as error:
            return Shelved(name, trouble=error)
        except Exception as error:  # noqa: BLE001 (what SQLite says of pages that are damaged)
            damaged = LibraryDamaged(f"the library “{name}” can't be read ({error})")
            return Shelved(name, trouble=damaged)
        # A file's modification time says nothing about the age of the document.
        date = next((one.date for one in newest if one.date_from != "file time"), None)
        return Shelved(name, status.documents, status.passages, date)

    def open(self, name: str) -> Library:
        """Open a library, which the caller must close.

        Raises
        ------
        LibraryNotFound
            If there is none with that name.
        LibraryError, ModelError
            As :meth:`rag.Library.open`.
        """
        folder = self._folder(name)
        relocation.settle(folder)
        return Library.open(folder, create=False, embedder=self._embedder(folder))

    def free(self, name: str) -> str:
        """Normalize a name for a new library, and check that it is valid and free.

        Raises
        ------
        InputError
            If it is not a valid name.
        NameTaken
            If the name is in use.
        """
        kept = named(name)
        if os.path.lexists(self.folder / kept):
            raise NameTaken(f"there is something named “{kept}” already; choose another name")
        return kept

    def create(self, name: str) -> str:
        """Create an empty library; returns its normalized name.

        Raises
        ------
        InputError, NameTaken
            As :meth:`free`.
        LibraryNotFound
            If the shelf's folder is gone.
        """
        kept = self.free(name)
        folder = self.folder / kept
        try:
            folder.mkdir()
        except FileExistsError as error:  # lost a race
            raise NameTaken(f"there is something named “{kept}” already") from error
        except FileNotFoundError as error:
            raise self._gone(error) from error
        except OSError as error:
            raise _impossible(kept, error) from error
        Library.open(folder, embedder=self._embedder(folder)).close()
        return kept

    def rename(self, name: str, to: str) -> str:
        """Rename a library, which must be closed; returns the normalized new name.

        Files inside its folder, such as uploads, move with it, and are found there.

        Raises
        ------
        LibraryNotFound
            If there is none with that name.
        InputError, NameTaken
            As :meth:`free`, for the new name.
        LibraryBusy
            If another process is writing to it.
        LibraryError
            If it can't be opened or written.
        """
        folder = self._folder(name)
        if named(to) == name:
            return name
        kept = self.free(to)
        self.open(name).close()  # raises if the library is damaged
        with locked(folder, seconds=0.0):
            relocation.announce(folder)
        try:
            folder.rename(self.folder / kept)
        except OSError as error:
            raise _impossible(kept, error) from error
        relocation.settle(self.folder / kept)
        return kept

    def _folder(self, name: str) -> Path:
        """The folder of a library; only names listed from the shelf's folder are ever opened."""
        if name not in self.names():
            raise LibraryNotFound(
                f"there is no library “{name}” in {self.folder}; choose one that is there, or "
                "create it"
            )
        return self.folder / name

    def _gone(self, error: OSError) -> LibraryNotFound:
        reason = error.strerror or str(error)
        return LibraryNotFound(
            f"{self.folder} can't be looked into ({reason}); put it back, or mount its disk again"
        )

    def _embedder(self, folder: Path) -> Embedder:
        made = opener.embedder_for(folder, None, None)
        with self._sharing:
            return self._embedders.setdefault(made.fingerprint, made)


def named(given: str) -> str:
    """Normalize a library's name: Unicode NFC, with surrounding whitespace removed.

    Raises
    ------
    InputError
        If it is not a valid name.
    """
    name = unicodedata.normalize("NFC", given).strip()
    if not name:
        raise InputError("a library needs a name; write one")
    if len(name) > LONGEST_NAME:
        raise InputError(f"a name has up to {LONGEST_NAME} characters; choose a shorter one")
    if name.startswith("."):
        raise InputError("a name doesn't begin with a dot; choose another one")
    if any(one in "/\\" or unicodedata.category(one) in _UNWRITABLE for one in name):
        raise InputError(
            "a name has no slash, no backslash and no character that can't be seen; "
            "choose another one"
        )
    if name.partition(".")[0].rstrip().upper() in _DEVICES:
        raise InputError(f"“{name}” is a device on some systems; choose another name")
    return name


def _is_text(name: str) -> bool:
    """Whether a folder's name is valid Unicode, and so can be part of a URL."""
    return not any(unicodedata.category(one) == "Cs" for one in name)


def _impossible(name: str, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    return InputError(f"no folder can be named “{name}” here ({reason}); choose another name")
