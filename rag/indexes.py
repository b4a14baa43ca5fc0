"""The indexes of a library: derived from its store, published together, rebuilt when need be.

In the library's folder::

    published.json       which files belong together, their generation and checksum
    vectors-N.faiss      the sentence vectors as of generation N
    words/               the word index

``published.json`` is written last and replaced at once, so a reader finds the state before or
the state after. A word index that a crash left ahead of it is brought to the same state by the
next update, because an update may be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.errors import LibraryDamaged
from rag.files import write_atomically
from rag.lexical import Entry, LexicalIndex, TantivyIndex
from rag.store import NewPassage, PieceFrequencies, StoreReader
from rag.vectors import FaissIndex, VectorIndex

FORMAT = 3
"""Of the index files; others are rebuilt. 2: the word index knows where words stand. 3: it takes
each text's words by the language of its document."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Indexes that belong together. Nothing in it ever changes."""

    generation: int
    vectors: VectorIndex
    words: LexicalIndex
    pieces: PieceFrequencies


@dataclass(frozen=True, slots=True)
class _Published:
    """The content of ``published.json``."""

    format: int
    library: str
    generation: int
    vectors: str
    sha256: str


class Indexes:
    """The derived files in one library's folder."""

    def __init__(self, folder: Path, store: StoreReader, dimension: int) -> None:
        self._folder = folder
        self._store = store
        self._dimension = dimension

    @property
    def generation(self) -> int | None:
        """The generation that is published, or None where nothing of use is."""
        try:
            return self._published().generation
        except LibraryDamaged:
            return None

    def load(self) -> Snapshot | None:
        """What is published, or None where it is missing, damaged or of another library."""
        try:
            return self._snapshot(*self._read())
        except LibraryDamaged:
            return None  # derived, so nothing is lost: publish() makes it again

    def publish(self) -> Snapshot:
        """Bring the indexes to the state of the store. The caller holds the writer's lock."""
        generation = self._store.generation
        try:
            since, vectors, words = self._read()
        except LibraryDamaged:
            since = 0
            vectors = FaissIndex.empty(self._dimension)
            words = TantivyIndex.create(self._folder / "words")
        if since < generation or self.generation is None:
            removed = self._store.removed_since(since)
            vectors.remove(removed)
            words.update(
                (key for key, _ in removed),
                _lexical(self._store.added_since(since), vectors),
            )
            self._write(generation, vectors)
        return self._snapshot(generation, vectors, words)

    def _read(self) -> tuple[int, FaissIndex, TantivyIndex]:
        published = self._published()
        vectors = FaissIndex.load(self._folder / published.vectors, published.sha256)
        return published.generation, vectors, TantivyIndex.open(self._folder / "words")

    def _write(self, generation: int, vectors: FaissIndex) -> None:
        name = f"vectors-{generation}.faiss"
        published = _Published(
            format=FORMAT,
            library=self._store.library_id,
            generation=generation,
            vectors=name,
            sha256=vectors.save(self._folder / name),
        )
        content = json.dumps(asdict(published), indent=1).encode()
        write_atomically(self._folder / "published.json", content)
        for old in self._folder.glob("vectors-*"):
            if old.name != name:
                old.unlink(missing_ok=True)

    def _published(self) -> _Published:
        try:
            content = (self._folder / "published.json").read_bytes()
            published = _Published(**json.loads(content))
        except (OSError, ValueError, TypeError) as error:
            raise LibraryDamaged(f"no indexes are published: {error}") from error
        if published.format != FORMAT:
            raise LibraryDamaged("the indexes were made by another version")
        if published.library != self._store.library_id:
            raise LibraryDamaged("the indexes belong to another library")
        if published.generation > self._store.generation:
            # The store was put back from an older copy.
            raise LibraryDamaged("the indexes are ahead of the store")
        return published

    def _snapshot(self, generation: int, vectors: FaissIndex, words: TantivyIndex) -> Snapshot:
        return Snapshot(generation, vectors, words.reader(), self._store.piece_frequencies())


def _lexical(passages: Iterator[NewPassage], vectors: FaissIndex) -> Iterator[Entry]:
    """Give each passage to both indexes on one way through the store."""
    for passage in passages:
        vectors.add(passage.key, passage.vectors)
        context = "\n".join([passage.title, *passage.headings])
        yield Entry(passage.key, passage.text, context, len(passage.vectors), passage.language)
