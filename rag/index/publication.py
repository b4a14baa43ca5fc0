"""Build, update and publish the indexes, which are derived from the store.

In the library's folder::

    published.json       which files belong together, their generations and checksums
    vectors-N.faiss      main segment: the sentence vectors as of generation N; the delta and
                         the tombstones since then are read from the store
    words/               the lexical index

``published.json`` is written last and replaced atomically, so a reader sees either the state before
or the state after. A lexical index that a crash left ahead of it is fixed by the next update,
because updates are idempotent.
"""

from __future__ import annotations

import errno
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.errors import DiskFull, LibraryDamaged, LibraryError
from rag.index import lexical
from rag.index.lexical import NOTHING_ASKED, TantivyIndex, TantivyReader
from rag.index.records import PieceFrequencies
from rag.index.sqlite import Changes
from rag.index.vectors import FaissIndex, LayeredIndex, Segment, is_rewrite_due, write_segment
from rag.runtime.files import open_file, write_atomically

FORMAT = 2
"""Format of the index files; files in another format are rebuilt."""

PUBLISHED = "published.json"
WORDS = "words"
"""The folder of the lexical index."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Indexes that belong together. Immutable."""

    generation: int
    vectors: LayeredIndex
    words: TantivyReader
    pieces: PieceFrequencies


@dataclass(frozen=True, slots=True)
class _Published:
    """Contents of ``published.json``."""

    format: int
    library: str
    generation: int
    segment: Segment
    words: Mapping[str, str]


class Indexes:
    """The index files in one library's folder."""

    def __init__(self, folder: Path, store: Changes) -> None:
        self._folder = folder
        self._store = store
        self._opened: tuple[Segment, FaissIndex] | None = None
        self._verified: set[tuple[str, str]] = set()
        self._last_read: tuple[tuple[int, int, int], _Published] | None = None

    @property
    def generation(self) -> int | None:
        """The published generation, or None if nothing valid is published."""
        published = self._published()
        return published.generation if published else None

    @property
    def segment(self) -> Segment | None:
        """Metadata of the main vector segment, or None if nothing valid is published."""
        published = self._published()
        return published.segment if published else None

    def load(self) -> Snapshot | None:
        """Load the published indexes; None if they are missing, damaged or of another library."""
        published = self._published()
        while published:
            try:
                return self._snapshot(published)
            except LibraryDamaged:
                before, published = published, self._published()
                if published == before:  # else a writer published another, and deleted the file
                    return None  # derived data: publish() rebuilds it
        return None

    def publish(self) -> Snapshot:
        """Update the indexes to the state of the store. The caller must hold the writer's lock.

        Additions and deletions are published first. If there are many, the main vector segment is
        rewritten after that, while other threads and processes keep searching.
        """
        published = self._published()
        try:
            return self._update(published) if published else self._rebuild()
        except LibraryDamaged:
            return self._rebuild()

    def temporary(self) -> Snapshot:
        """Build indexes of the current store in a temporary folder, for this process only.

        Raises
        ------
        LibraryError
            If there is no space for them, either.
        OSError
            The same.
        """
        generation = self._store.generation
        # Open files can still be used after their names are deleted.
        with tempfile.TemporaryDirectory(prefix="rag-", ignore_cleanup_errors=True) as name:
            made = Indexes(Path(name), self._store)
            made._update_words(0)
            segment = write_segment(self._store, made._folder, generation)
            library = self._store.library_id
            return made._snapshot(_Published(FORMAT, library, generation, segment, {}))

    def faults(self) -> list[str]:
        """Defects of the published indexes; being behind the store is not a defect."""
        published = self._published()
        while True:
            found = self._faults_of(published)
            before, published = published, self._published()
            if not found or published == before:  # else a writer has published
                return found

    def withdraw(self) -> None:
        """Unpublish, so that everything is rebuilt. The caller must hold the writer's lock."""
        self._opened, self._verified = None, set()
        for path in (self._folder / PUBLISHED, *self._folder.glob("vectors-*")):
            if path.is_dir():  # put there by mistake; would block writing
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _faults_of(self, published: _Published | None) -> list[str]:
        if published is None:
            return ["the indexes are missing, or belong to another library or version"]
        left_over = [one for one in self._folder.glob("vectors-*") if _is_old(one, published)]
        found = []
        self._opened, self._verified = None, set()
        for part in (self._check_segment, self._words):
            try:
                part(published)
            except LibraryDamaged as error:
                found.append(str(error))
        # A writer that has just published deletes the files that it replaced.
        found += [f"{one.name} is left over" for one in sorted(left_over) if one.exists()]
        if not found:
            words = self._words(published).matching("", NOTHING_ASKED).tolist()
            keys = self._store.keys().tolist()
            # Checked last: the store always changes first.
            if words != keys and published.generation == self._store.generation:
                found.append("the word index and the store have different passages")
        return found

    def _check_segment(self, published: _Published) -> None:
        if len(self._open(published.segment)) != published.segment.sentences:
            raise LibraryDamaged(
                f"{published.segment.file} doesn't have its recorded number of sentences"
            )

    def _update(self, published: _Published) -> Snapshot:
        """Apply additions and deletions, and rewrite the main vector segment if that is due."""
        generation = self._store.generation
        if published.generation < generation:
            self._words(published)  # raises if it is damaged
            self._update_words(published.generation)
            published = self._write(generation, published.segment, published.words)
        before = published.segment
        self._open(before)
        added = self._store.sentences_since(before.generation)
        if is_rewrite_due(before, added, self._store.sentences()):
            removed = self._store.removed_since(before.generation).tolist()
            segment = write_segment(self._store, self._folder, generation, before, removed)
            published = self._write(generation, segment, published.words)
        return self._snapshot(published)

    def _rebuild(self) -> Snapshot:
        generation = self._store.generation
        self._update_words(0)
        segment = write_segment(self._store, self._folder, generation)
        return self._snapshot(self._write(generation, segment, {}))

    def _write(self, generation: int, segment: Segment, known: Mapping[str, str]) -> _Published:
        """Write ``published.json``, and delete files that are not in it; ``known`` are checksums of
        existing files of the lexical index.
        """
        lexical.copy_permissions(self._folder / WORDS, like=self._folder / "library.db")
        words = lexical.digests(self._folder / WORDS, known)
        published = _Published(FORMAT, self._store.library_id, generation, segment, words)
        content = json.dumps(asdict(published), indent=1).encode()
        write_atomically(self._folder / PUBLISHED, content)
        for old in self._folder.glob("vectors-*"):
            if old.name != segment.file:
                # Windows can't delete a file that a reader has mapped: it is deleted next time.
                with suppress(PermissionError):
                    old.unlink(missing_ok=True)
        return published

    def _update_words(self, since: int) -> None:
        folder = self._folder / WORDS
        removed = self._store.removed_since(since).tolist()
        try:
            words = TantivyIndex.open(folder) if since else TantivyIndex.create(folder)
            words.update(removed, self._store.added_since(since))
        except ValueError as error:  # whatever goes wrong in tantivy
            # It numbers its files by operation: a file left by a killed writer blocks the same
            # operation when it is repeated.
            if since and "FileAlreadyExists" in str(error):
                raise LibraryDamaged("a writer was killed while updating the word index") from error
            full = f"(os error {errno.ENOSPC})" in str(error)
            raise (DiskFull if full else LibraryError)(
                f"the word index in {folder} can't be written ({error}); check the disk's space "
                "and the folder's permissions, then run it again"
            ) from error

    def _published(self) -> _Published | None:
        """The valid published state, or None."""
        try:
            published = self._read(self._folder / PUBLISHED)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        of_this = (published.format, published.library) == (FORMAT, self._store.library_id)
        # Ahead of the store means that the store was restored from an older backup.
        return published if of_this and published.generation <= self._store.generation else None

    def _read(self, path: Path) -> _Published:
        """Parse the file; cached, since it is needed for each query."""
        facts = path.stat()  # it is only ever replaced as a whole
        which = facts.st_ino, facts.st_size, facts.st_mtime_ns
        if self._last_read is None or self._last_read[0] != which:
            with open_file(path) as file:
                content = json.load(file)
            content["segment"] = Segment(**content["segment"])
            self._last_read = which, _Published(**content)
        return self._last_read[1]

    def _snapshot(self, published: _Published) -> Snapshot:
        segment = self._open(published.segment)
        since = published.segment.generation
        delta = FaissIndex.exact(self._store.dimension)
        delta.add(self._store.vectors_since(since))
        return Snapshot(
            generation=published.generation,
            vectors=LayeredIndex(segment, delta, self._store.removed_since(since)),
            words=self._words(published),
            pieces=self._store.piece_frequencies(),
        )

    def _words(self, published: _Published) -> TantivyReader:
        """The committed state of the lexical index: the published one, or a later one left by a
        crash or by a writer at work.
        """
        folder = self._folder / WORDS
        unseen = {
            name: sha256
            for name, sha256 in published.words.items()
            if (name, sha256) not in self._verified
        }
        wrong = lexical.changed_files(folder, unseen)
        # The store always changes first: if it hasn't changed, nothing else should have. A later
        # lexical index has another list of files, and may have merged some of them.
        is_latest = published.generation == self._store.generation
        for name in wrong:
            if is_latest or (name != lexical.META and (folder / name).exists()):
                raise LibraryDamaged(f"{name} of the word index doesn't match its checksum")
        verified = self._verified | {one for one in unseen.items() if one[0] not in wrong}
        self._verified = {
            one for one in verified & published.words.items() if one[0] != lexical.META
        }
        try:
            with lexical.writable_view(folder) as readable:
                return TantivyIndex.open(readable).reader()
        except ValueError as error:  # whatever goes wrong in tantivy
            raise LibraryDamaged(f"the word index can't be read: {error}") from error

    def _open(self, segment: Segment) -> FaissIndex:
        """The main vector segment; opened once."""
        if self._opened is None or self._opened[0] != segment:
            index = FaissIndex.load(self._folder / segment.file, segment.sha256, segment.probed)
            self._opened = segment, index
        return self._opened[1]


def _is_old(path: Path, published: _Published) -> bool:
    """Whether a vector file is older than the published one; a newer one may be about to be
    published, or else the next writer deletes it.
    """
    number = re.match(r"vectors-(\d+)\.", path.name)
    is_later = number is not None and int(number[1]) >= published.segment.generation
    return path.name != published.segment.file and not is_later
