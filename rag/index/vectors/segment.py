"""When the sealed part of an index is written anew, and how."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rag.index.vectors.faiss_index import PER_LIST, FaissIndex
from rag.index.vectors.recall import Nearest, settled
from rag.types.arrays import Vectors

EXACT = 200_000
"""Sentences up to which all are compared: 5 ms on one core, and nothing is guessed."""

FEWEST = 500
"""Changed sentences below which sealing anew is never worth it."""

MOST = 20_000
"""Changed sentences from which on it always is: all of the recent ones are compared."""

MOST_SAMPLED = 60_000
"""Sentences that lists are learnt from at most: 92 MB at 384 dimensions."""

GROWTH = 2
"""How many times as many sentences as it was trained with an index takes before it is trained
anew: its lists are for those."""


class Sentences(Protocol):
    """Where sentence vectors come from, with the keys of their passages."""

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        ...

    def sentences(self) -> int:
        """How many there are."""
        ...

    def vectors_since(self, generation: int) -> Iterator[tuple[int, Vectors]]:
        """Those of passages that came after a generation, a passage at a time."""
        ...

    def sampled_vectors(self, sentences: int) -> Vectors:
        """At most that many from all over the library, shape (n, dimension)."""
        ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is known of a sealed index.

    Parameters
    ----------
    file, sha256
        Its name in the library's folder, and its checksum.
    generation
        Of the store, up to which it knows everything.
    sentences
        How many it has.
    trained
        How many it had when its lists were learnt; 0 where it compares all.
    recall
        Share of the ten nearest sentences that it proposed then, over questions made of the
        library's own sentences; 1 where it compares all.
    probed
        How many of its lists are looked at for that; 0 where it has none.
    """

    file: str
    sha256: str
    generation: int
    sentences: int
    trained: int = 0
    recall: float = 1.0
    probed: int = 0


def is_due(sealed: Sealed, added: int, total: int) -> bool:
    """Whether so much has come and gone that it should be sealed anew.

    Parameters
    ----------
    added
        Sentences that came since and are still there.
    total
        All sentences that there are now.
    """
    removed = sealed.sentences + added - total
    return added + removed > max(FEWEST, min(MOST, sealed.sentences // 10))


def seal(
    source: Sentences,
    folder: Path,
    generation: int,
    before: Sealed | None = None,
    removed: Sequence[int] = (),
) -> Sealed:
    """Write the index of all that is in the source, as ``vectors-N.faiss``, N the generation.

    Parameters
    ----------
    before
        What is sealed already, which is brought up to date where that is enough.
    removed
        The keys that went since then.

    Raises
    ------
    LibraryDamaged
        If ``before`` can't be read.
    """
    total, trained, recall = source.sentences(), 0, 1.0
    if before and _suits(before, total):
        index = FaissIndex.load(folder / before.file, before.sha256, before.probed, mapped=False)
        index.remove(removed)
        index.add(source.vectors_since(before.generation))
        trained, recall = before.trained, before.recall
    elif total <= EXACT:
        index = FaissIndex.exact(source.dimension)
        index.add(source.vectors_since(0))
    else:
        index, recall = _compressed(source, total)
        trained = total
    file = f"vectors-{generation}.faiss"
    return Sealed(
        file=file,
        sha256=index.save(folder / file),
        generation=generation,
        sentences=len(index),
        trained=trained,
        recall=recall,
        probed=index.probed,
    )


def lists_for(sentences: int) -> int:
    """How many lists: a power of two, about four times the square root."""
    return 1 << round(math.log2(4.0 * math.sqrt(sentences)))


def _suits(before: Sealed, total: int) -> bool:
    """Whether an index can go on with so many sentences as the kind that it is."""
    if not before.trained:
        return total <= EXACT
    return EXACT < total <= GROWTH * before.trained and GROWTH * total >= before.trained


def _compressed(source: Sentences, total: int) -> tuple[FaissIndex, float]:
    """The compressed index of all sentences, built in bounded memory, and its recall."""
    lists = lists_for(total)
    sample = source.sampled_vectors(min(PER_LIST * lists, MOST_SAMPLED))
    nearest = Nearest.of(sample)
    index = FaissIndex.compressed(sample, min(lists, len(sample) // PER_LIST))
    del sample
    index.add(nearest.watching(source.vectors_since(0)))
    return index, settled(index, nearest)
