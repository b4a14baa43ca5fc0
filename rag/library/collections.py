"""Collections: named parts of a library, of which a question can be asked alone.

Every folder that is indexed belongs to a collection, named after it unless another name is given;
several folders may share one. A document is in a collection if one of its sources lies in one of
the collection's folders, so it may be in several. Uploads are a collection of their own.

The library keeps a note that maps each folder to the name of its collection. Two machines that
index a folder of a shared library for the first time at the same moment may overwrite each other's
entry; the next run over the folder writes it again.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from functools import cache
from itertools import chain, islice
from os.path import normcase
from pathlib import Path

from rag.errors import InputError, SourceNotFound
from rag.index.engine import Engine
from rag.index.records import Source
from rag.runtime.files import absolute, is_url, printable
from rag.types.filters import beginning
from rag.types.parts import is_further_part
from rag.types.reports import Collection

NAME = "collections"
"""Key under which a library stores the folders of its collections."""

UPLOADS = "uploads"
"""The collection of uploaded files."""

UPLOAD_FOLDER = "files"
"""Where ``ui.uploads`` keeps them, inside the library's folder, which may be moved."""

LONGEST_NAME = 64
"""Maximum characters in a collection's name."""

MOST_FOLDERS = 1_000
"""Maximum folders with a collection: all are looked at by whatever names a collection, and a note
that was imported may have any number."""

NAMES_SUGGESTED = 5

_SEPARATOR = re.compile(r"[/\\]")
"""Of folders, in paths of any system and in URLs."""

_UNWRITABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of control and format characters, surrogates and separators, which may break
or reverse text, or can't be encoded …"""

_JOINERS = "\u200c\u200d"
"""… except those with which Persian, Hindi and other languages spell words."""


class Collections:
    """The collections of one library. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counted: tuple[object, tuple[Collection, ...]] = (None, ())

    def all(self) -> tuple[Collection, ...]:
        """All collections by name; they are counted once a generation."""
        names = self._names()
        state = self._engine.reader.generation, names
        if state != self._counted[0]:
            by_name: dict[str, list[str]] = {}
            for folder, name in names.items():
                by_name.setdefault(name, []).append(folder)
            counts = _counts(names, self._engine.reader.sources()) if names else Counter()
            counted = (
                Collection(name, tuple(folders), counts[name])
                for name, folders in sorted(by_name.items(), key=lambda one: one[0].casefold())
            )
            found = tuple(one for one in counted if one.documents or one.name != UPLOADS)
            self._counted = state, found
        return self._counted[1]

    def folders(self, names: Iterable[str]) -> tuple[str, ...]:
        """The folders of the collections with these names; empty if there are no names. Raises
        InputError, which lists the nearest, if there is no collection with one of the names.
        """
        wanted = {validate_name(name) for name in names}
        known = self._names() if wanted else {}
        for name in sorted(wanted.difference(known.values())):
            raise _unknown(name, [one.name for one in self.all()])
        return tuple(folder for folder, name in known.items() if name in wanted)

    def contents(
        self, names: Iterable[str], paths: Sequence[str | Path]
    ) -> tuple[list[str], list[str]]:
        """The sources and files in these collections and in no other, and those under these paths;
        raises InputError or SourceNotFound if there is nothing of one of the names.
        """
        folders = self.folders(names)
        others = [folder for folder in self._names() if folder not in folders]

        def chosen(known: Sequence[str]) -> list[str]:
            kept = {one for folder in others for one in _within(folder, known)}
            inside = (one for folder in folders for one in _within(folder, known))
            under = (one for path in paths for one in _within(path, known))
            return list(dict.fromkeys([*under, *(one for one in inside if one not in kept)]))

        sources = [source.path for source in self._engine.reader.sources()]
        for path in paths:
            if not _within(path, sources):
                raise SourceNotFound(f"nothing is indexed under {path}; rag report lists what is")
        return chosen(sources), chosen([*self._engine.reader.files()])

    def add(self, paths: Sequence[str | Path], name: str | None = None) -> None:
        """Record the collection of indexed paths.

        Without a name, a folder that has no collection yet gets one named after it, with as many
        of its parents as it takes to be unique; files get none. With one, all paths leave their
        collection for the one with this name. Raises InputError, and records nothing, if that makes
        more than :data:`MOST_FOLDERS`.
        """
        stored, known = self._stored(), self._names()
        for path in paths:
            folder = str(path).rstrip("/") if is_url(path) else printable(absolute(path))
            if name is not None:
                known[folder] = stored[folder] = name
            elif folder not in known and _is_folder(path):
                known[folder] = stored[folder] = _name_for(folder, {UPLOADS, *known.values()})
        if len(stored) > MOST_FOLDERS:
            raise InputError(
                f"a library has collections of up to {MOST_FOLDERS:,} folders, and these would be "
                f"{len(stored):,}; index a folder above them, which is one"
            )
        self._keep(stored)

    def forget(self, names: Iterable[str], paths: Iterable[str | Path]) -> None:
        """Forget the collections with these names, and all folders in these paths."""
        left_out = set(names)
        stored = {folder: name for folder, name in self._stored().items() if name not in left_out}
        for path in paths:
            for folder in _within(path, list(stored)):
                del stored[folder]
        self._keep(stored)

    def _names(self) -> dict[str, str]:
        """The name of each folder's collection, with that of the uploads."""
        location = self._engine.location
        inside = printable(location / UPLOAD_FOLDER) if isinstance(location, Path) else None
        return ({inside: UPLOADS} if inside else {}) | self._stored()

    def _stored(self) -> dict[str, str]:
        """As recorded; what an imported library may have, invalid names, folders that are no text
        and those after the first :data:`MOST_FOLDERS`, is left out.
        """
        try:
            found = json.loads(self._engine.notes.note(NAME) or "{}")
            return {
                folder: name
                for folder, name in islice(found.items(), MOST_FOLDERS)
                if _is_valid(name) and printable(folder) == folder
            }
        except (ValueError, TypeError, AttributeError, RecursionError):
            return {}

    def _keep(self, stored: dict[str, str]) -> None:
        if stored != self._stored():
            self._engine.notes.keep(NAME, json.dumps(stored, ensure_ascii=False))


def _counts(names: Mapping[str, str], sources: Iterable[Source]) -> Counter[str]:
    """The number of documents in each collection, given the name of each folder's. A document in
    parts counts as one.
    """
    exact: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    for folder, name in names.items():
        exact.setdefault(folder, set()).add(name)
        below.setdefault(beginning(folder), set()).add(name)
    lengths = frozenset(map(len, below))

    @cache
    def holding(folder: str) -> frozenset[str]:
        """The names of the collections that what lies in a folder is in."""
        ends = (one.end() for one in _SEPARATOR.finditer(folder))
        above = (folder[:end] for end in ends if end in lengths)
        return frozenset(chain.from_iterable(below.get(one, ()) for one in above))

    parts = set()
    held: dict[str, frozenset[str]] = {}
    for source in sources:
        path, id_ = source.path, source.document_id
        found = holding(path[: max(path.rfind("/"), path.rfind("\\")) + 1])
        if path in exact:
            found = found.union(exact[path])
        held[id_] = held[id_] | found if id_ in held else found
        if is_further_part(path):
            parts.add(id_)
    alike = Counter(found for id_, found in held.items() if id_ not in parts)
    counts: Counter[str] = Counter()
    for found, documents in alike.items():
        for name in found:
            counts[name] += documents
    return counts


def validate_name(given: str) -> str:
    """Normalize a collection's name: Unicode NFC, with surrounding whitespace removed. Raises
    InputError if it is not a valid name.
    """
    if not isinstance(given, str):
        raise InputError(f"a collection's name is a text, not {given!r}")
    name = unicodedata.normalize("NFC", given).strip()
    if not name.strip(_JOINERS):
        raise InputError("a collection needs a name; write one")
    if len(name) > LONGEST_NAME:
        raise InputError(f"a collection's name has up to {LONGEST_NAME} characters")
    if any(map(_is_unwritable, name)):
        raise InputError("a collection's name has no character that can't be seen")
    return name


def validate_new_name(given: str) -> str:
    """The same, for a name that is given to folders: that of the uploads is reserved."""
    name = validate_name(given)
    if name == UPLOADS:
        raise InputError(f"“{UPLOADS}” is the collection of uploaded files; choose another name")
    return name


def _is_unwritable(character: str) -> bool:
    return unicodedata.category(character) in _UNWRITABLE and character not in _JOINERS


def _is_valid(name: str) -> bool:
    try:
        return validate_name(name) == name
    except InputError:
        return False


def _is_folder(path: str | Path) -> bool:
    """Whether a path is a folder; of a URL, whether its last part looks like one."""
    return not Path(path).suffix if is_url(path) else absolute(path).is_dir()


def _name_for(folder: str, taken: set[str]) -> str:
    """Name a folder: ``reports``, or ``2024/reports`` if there is another one."""
    parts = re.findall(r"[^/\\]+", folder) or ["/"]
    name = ""
    for first in range(len(parts) - 1, -1, -1):
        name = "".join(
            "_" if _is_unwritable(one) else one
            for one in unicodedata.normalize("NFC", "/".join(parts[first:]))
        )[-LONGEST_NAME:].strip()
        if name.strip(_JOINERS) and name not in taken:
            break
    return name if name.strip(_JOINERS) else "_"


def _within(place: str | Path, paths: Iterable[str]) -> list[str]:
    """The paths that equal a folder, or are below it; it may be a URL."""
    folder = str(place) if is_url(place) else absolute(place)
    # A comparison of prefixes rules most out, in a fiftieth of the time of constructing paths.
    beginning = normcase(folder)
    alike = (one for one in paths if normcase(one).startswith(beginning))
    return [one for one in alike if Path(one).is_relative_to(folder)]


def _unknown(name: str, known: Sequence[str]) -> InputError:
    if not known:
        return InputError(f"there is no collection “{name}”, nor any other: rag index PATH")
    nearest = sorted(known, key=lambda one: -SequenceMatcher(None, name, one).ratio())
    listed = ", ".join(f"“{one}”" for one in nearest[:NAMES_SUGGESTED])
    more = len(nearest) - NAMES_SUGGESTED
    return InputError(
        f"there is no collection “{name}”; there {'are' if len(nearest) > 1 else 'is'} {listed}"
        f"{f' and {more} more' if more > 0 else ''}"
    )
