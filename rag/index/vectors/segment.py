"""When and how the main segment is rewritten."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.index.sqlite import Changes
from rag.index.vectors.faiss_index import PER_LIST, FaissIndex
from rag.index.vectors.recall import Nearest, tune_probes

EXACT = 200_000
"""Maximum sentences for exhaustive search: 5 ms on one core, with exact results."""

FEWEST = 500
"""Changed sentences below which rewriting the segment is never worthwhile."""

MOST = 20_000
"""Changed sentences from which on it always is: the delta is searched exhaustively."""

MOST_SAMPLED = 60_000
"""Maximum training sentences: 92 MB at 384 dimensions."""

GROWTH = 2
"""Growth factor after which an index is retrained, as its lists suit the former size only."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Metadata of a main segment.

    Parameters
    ----------
    file, sha256
        Its name in the library's folder, and its checksum.
    generation
        The store's generation of which it is an index.
    sentences
        Number of sentences in it.
    trained
        Number of sentences when its lists were trained; 0 for exhaustive search.
    recall
        Recall@10 measured then, with test queries made of the library's own sentences; 1 for
        exhaustive search.
    probed
        Number of lists to probe for that recall; 0 if there are none.
    """

    file: str
    sha256: str
    generation: int
    sentences: int
    trained: int = 0
    recall: float = 1.0
    probed: int = 0


def is_rewrite_due(segment: Segment, added: int, total: int) -> bool:
    """Whether the segment has changed so much that it should be rewritten.

    Parameters
    ----------
    added
        Sentences added since then and not deleted.
    total
        Current number of sentences.
    """
    removed = segment.sentences + added - total
    return added + removed > max(FEWEST, min(MOST, segment.sentences // 10))


def write_segment(
    store: Changes,
    folder: Path,
    generation: int,
    before: Segment | None = None,
    removed: Sequence[int] = (),
) -> Segment:
    """Write the index of all sentences in the store, as ``vectors-N.faiss``, N the generation.

    Parameters
    ----------
    before
        The current segment, which is updated if that is enough.
    removed
        Keys deleted since it was written.

    Raises
    ------
    LibraryDamaged
        If ``before`` can't be read.
    """
    total, trained, recall = store.sentences(), 0, 1.0
    if before and _suits(before, total):
        index = FaissIndex.load(folder / before.file, before.sha256, before.probed, mapped=False)
        index.remove(removed)
        index.add(store.vectors_since(before.generation))
        trained, recall = before.trained, before.recall
    elif total <= EXACT:
        index = FaissIndex.exact(store.dimension)
        index.add(store.vectors_since(0))
    else:
        index, recall = _compressed(store, total)
        trained = total
    file = f"vectors-{generation}.faiss"
    return Segment(
        file=file,
        sha256=index.save(folder / file),
        generation=generation,
        sentences=len(index),
        trained=trained,
        recall=recall,
        probed=index.probed,
    )


def lists_for(sentences: int) -> int:
    """Number of lists: a power of two, about four times the square root of the sentences."""
    return 1 << round(math.log2(4.0 * math.sqrt(sentences)))


def _suits(before: Segment, total: int) -> bool:
    """Whether an index of this type is still appropriate for that many sentences."""
    if not before.trained:
        return total <= EXACT
    return EXACT < total <= GROWTH * before.trained and GROWTH * total >= before.trained


def _compressed(store: Changes, total: int) -> tuple[FaissIndex, float]:
    """Build the compressed index in bounded memory; returns it and its recall."""
    lists = lists_for(total)
    sample = store.sampled_vectors(min(PER_LIST * lists, MOST_SAMPLED))
    nearest = Nearest.of(sample)
    index = FaissIndex.compressed(sample, min(lists, len(sample) // PER_LIST))
    del sample
    index.add(nearest.observe(store.vectors_since(0)))
    return index, tune_probes(index, nearest)
