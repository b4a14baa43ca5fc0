"""The search indexes of a folder: derived from the store, published together, loaded as a snapshot.

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
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.errors import DiskFull, LibraryBusy, LibraryDamaged, LibraryError, LibraryNotFound
from rag.index import lexical
from rag.index.folder import SECONDS_TO_WAIT, locked
from rag.index.lexical import NOTHING_ASKED, TantivyIndex, TantivyReader
from rag.index.records import PieceFrequencies
from rag.index.sqlite.changes import Changes
from rag.index.vectors.faiss_index import FaissIndex
from rag.index.vectors.segment import LayeredIndex, Segment, is_rewrite_due, write_segment
from rag.runtime.files import may_write, open_file, write_atomically, writing
from rag.runtime.heartbeat import Beat, no_heartbeat, run

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


class Snapshots:
    """The indexes of a store in its folder, and their newest snapshot, which all threads share.

    ``library`` is the folder with the writer's lock, if that is another one.
    """

    def __init__(self, folder: Path, store: Changes, library: Path | None = None) -> None:
        self._folder = folder
        self._library = library or folder
        self._store = store
        self._newest: Snapshot | None = None
        self._refreshing = threading.Lock()
        self._opened: tuple[Segment, FaissIndex] | None = None
        self._verified: set[tuple[str, str]] = set()
        self._last_read: tuple[tuple[int, int, int], _Published] | None = None

    @property
    def segment(self) -> Segment | None:
        """Metadata of the main vector segment, or None if nothing valid is published."""
        published = self._published()
        return published.segment if published else None

    def current(self) -> Snapshot:
        """The newest published indexes, even if another process published them.

        If nothing is published, raises LibraryBusy while another writer keeps writing, which will,
        and LibraryError if it can't be written.
        """
        with self._refreshing:
            newest, published = self._newest, self._published()
            if published and not (newest and newest.generation == published.generation):
                newest = self._load(published) or newest
            if newest is None or newest.generation < self._store.generation:
                newest = self._catch_up(newest)
            self._newest = newest
            return newest

    def publish(self, beat: Beat = no_heartbeat) -> None:
        """Update the indexes to the state of the store. The caller must hold the writer's lock.

        Additions and deletions are published first. If there are many, the main vector segment is
        rewritten after that, while other threads and processes keep searching.
        """
        with writing(self._folder):
            self._newest = run(self._publish, beat)

    def rebuild(self) -> None:
        """Replace all index files. The caller must hold the writer's lock."""
        self._opened, self._verified = None, set()
        for path in (self._folder / PUBLISHED, *self._folder.glob("vectors-*")):
            if path.is_dir():  # put there by mistake; would block writing
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        self.publish()

    def faults(self) -> list[str]:
        """Defects of the published indexes; being behind the store is not a defect."""
        published = self._published()
        found = self._faults_of(published)
        has_changed = published != self._published()  # a writer has published meanwhile
        return self.faults() if found and has_changed else found

    def close(self) -> None:
        """Release the indexes and their files."""
        self._newest = self._opened = None

    def _load(self, published: _Published) -> Snapshot | None:
        """Load the published indexes; None if they are damaged, since they are rebuilt then."""
        try:
            return self._snapshot(published)
        except LibraryDamaged:
            now = self._published()  # perhaps a writer published another, and deleted the file
            return self._load(now) if now and now != published else None

    def _catch_up(self, behind: Snapshot | None) -> Snapshot:
        """Publish what a killed writer left unpublished.

        Another active writer will publish itself, so the previous snapshot is used meanwhile;
        likewise if nothing can be written, for lack of permission or space. If there is no valid
        one, this process builds temporary indexes.
        """
        if not may_write(self._folder):
            return behind or self._temporary(
                LibraryError(
                    f"the indexes of {self._folder} are missing or damaged, and can't be written; "
                    "run rag verify --repair once with write permission there"
                )
            )
        try:
            with locked(self._library, 0.0 if behind else SECONDS_TO_WAIT), writing(self._folder):
                return self._publish()
        except (LibraryNotFound, LibraryDamaged):
            raise
        except LibraryError as error:  # another process is writing, or the disk is full
            if behind:
                return behind
            if isinstance(error, LibraryBusy):
                raise
            return self._temporary(error)

    def _temporary(self, otherwise: LibraryError) -> Snapshot:
        """Build indexes in a temporary folder, for this process only; raises ``otherwise`` if there
        is no space for them, either.
        """
        # Open files can still be used after their names are deleted.
        try:
            with tempfile.TemporaryDirectory(prefix="rag-", ignore_cleanup_errors=True) as name:
                made, generation = Snapshots(Path(name), self._store), self._store.generation
                made._update_words(0)
                segment = write_segment(self._store, Path(name), generation)
                library = self._store.library_id
                return made._snapshot(_Published(FORMAT, library, generation, segment, {}))
        except (LibraryError, OSError):
            raise otherwise from None

    def _publish(self) -> Snapshot:
        published = self._published()
        try:
            return self._update(published) if published else self._rebuild()
        except LibraryDamaged:
            return self._rebuild()

    def _faults_of(self, published: _Published | None) -> list[str]:
        if published is None:
            return ["the indexes are missing, or belong to another library or version"]
        left_over = [one for one in self._folder.glob("vectors-*") if _is_old(one, published)]
        found = []
        self._opened, self._verified = None, set()
        segment = published.segment
        try:
            if len(self._open(segment)) != segment.sentences:
                found.append(f"{segment.file} doesn't have its recorded number of sentences")
        except LibraryDamaged as error:
            found.append(str(error))
        try:
            words = self._words(published)
        except LibraryDamaged as error:
            found.append(str(error))
        # A writer that has just published deletes the files that it replaced.
        found += [f"{one.name} is left over" for one in sorted(left_over) if one.exists()]
        if not found:
            indexed = words.matching("", NOTHING_ASKED).tolist()
            keys = self._store.keys().tolist()
            # Checked last: the store always changes first.
            if indexed != keys and published.generation == self._store.generation:
                found.append("the word index and the store have different passages")
        return found

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
        """The valid published state, or None; parsed once, since it is needed for each query."""
        path = self._folder / PUBLISHED
        try:
            facts = path.stat()  # it is only ever replaced as a whole
            which = facts.st_ino, facts.st_size, facts.st_mtime_ns
            if self._last_read is None or self._last_read[0] != which:
                with open_file(path) as file:
                    content = json.load(file)
                content["segment"] = Segment(**content["segment"])
                self._last_read = which, _Published(**content)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        _, published = self._last_read
        of_this = (published.format, published.library) == (FORMAT, self._store.library_id)
        # Ahead of the store means that the store was restored from an older backup.
        return published if of_this and published.generation <= self._store.generation else None

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
