"""The store as its indexes see it: additions and deletions since a generation."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from rag.index.lexical import Entry
from rag.index.records import PieceFrequencies, damaged, sound, unpack_vectors
from rag.index.sqlite.database import Database
from rag.types.arrays import Keys, Vectors, are_unit

# In the order of the index on generations, which is also key order. With ORDER BY key alone, SQLite
# would scan all passages, and their vectors, to find the few latest.
VECTORS_SINCE = """
SELECT passage.key, vectors
FROM passage JOIN encoding ON encoding.passage = passage.key
WHERE generation > ? ORDER BY generation, passage.key
"""
ADDED_SINCE = """
SELECT passage.key, passage.text, title, passage.headings, language
FROM passage JOIN document ON document.key = passage.document
WHERE generation > ? ORDER BY generation, passage.key
"""


class Changes:
    """Data from which indexes are built and updated."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._database.dimension

    @property
    def library_id(self) -> str:
        """Random id, assigned when the library was created."""
        return self._database.fact("library")

    @property
    @sound
    def generation(self) -> int:
        """Incremented by every commit."""
        return int(self._database.fact("generation"))

    def piece_frequencies(self) -> PieceFrequencies:
        """Document frequency of each word piece, counted in passages."""
        rows = self._database.execute("SELECT id, passages FROM piece")
        return PieceFrequencies(self._passages(), dict(rows.fetchall()))

    def keys(self) -> Keys:
        """The keys of all passages, ascending."""
        rows = self._database.execute("SELECT key FROM passage ORDER BY key")
        return np.fromiter((key for (key,) in rows), dtype=np.int64)

    def removed_since(self, generation: int) -> Keys:
        """The keys of passages deleted after a generation, ascending."""
        rows = self._database.execute(
            "SELECT passage FROM removed WHERE generation > ?", (generation,)
        )
        return np.sort(np.fromiter((key for (key,) in rows), dtype=np.int64))

    def sentences(self) -> int:
        """Number of sentences."""
        return int(self._database.fact("sentences"))

    def sentences_since(self, generation: int) -> int:
        """Number of sentences added after a generation and not deleted."""
        statement = (
            "SELECT coalesce(sum(length(sentences)), 0) / 8 FROM passage WHERE generation > ?"
        )
        return int(self._database.value(statement, (generation,)))

    def vectors_since(self, generation: int) -> Iterator[tuple[int, Vectors]]:
        """Vectors by key of passages added after a generation and not deleted, passage by
        passage.
        """
        rows = self._database.execute(VECTORS_SINCE, (generation,))
        for key, blob in rows:
            vectors = unpack_vectors(blob, self.dimension)
            if not are_unit(vectors):
                raise damaged("a vector has not the length 1")
            yield key, vectors

    def sampled_vectors(self, sentences: int) -> Vectors:
        """About that many sentence vectors, but no more, from all over the library.

        Ids are hashes, so passages in order of their ids are as good as a random sample.
        """
        passages = max(1, round(sentences / max(self.sentences(), 1) * self._passages()))
        # Copied into a preallocated array passage by passage: concatenating takes three times the
        # memory.
        found = np.empty((sentences, self.dimension), dtype=np.float32)
        rows = self._database.execute(
            "SELECT vectors FROM (SELECT key FROM passage ORDER BY id LIMIT ?)"
            " JOIN encoding ON encoding.passage = key",
            (passages,),
        )
        count = 0
        for (blob,) in rows:
            vectors = unpack_vectors(blob, self.dimension)[: len(found) - count]
            found[count : count + len(vectors)] = vectors
            count += len(vectors)
        return found[:count]

    def added_since(self, generation: int) -> Iterator[Entry]:
        """Passages added after a generation and not deleted, a few at a time."""
        rows = self._database.execute(ADDED_SINCE, (generation,))
        for key, text, title, headings, language in rows:
            yield Entry(key, text, "\n".join([title, *_listed(headings)]), language)

    def _passages(self) -> int:
        return int(self._database.value("SELECT count(*) FROM passage"))


@sound
def _listed(text: str) -> list[str]:
    return [str(one) for one in json.loads(text)]
