"""The passages of a library as a map: what is alike lies near, and groups are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag import projection, topics
from rag.arrays import Vectors
from rag.engine import Engine
from rag.projection import mean_vector
from rag.store import StoredPassage
from rag.types import Passage

MOST = 2_000
"""Passages on a map; of a larger library as many are drawn from all over it. To place so many
takes about five seconds on one core."""

Grouping: TypeAlias = Literal["documents", "topics"]
"""What the groups on a map are."""


@dataclass(frozen=True, slots=True)
class Point:
    """A passage on the map, with its document's title.

    ``x`` and ``y`` lie in [-1, 1], and mean nothing but what lies near: only distances to near
    ones count. ``group`` is the number of its group, from 0.
    """

    passage: Passage
    title: str
    x: float
    y: float
    group: int


@dataclass(frozen=True, slots=True)
class Group:
    """Passages that the map tells apart: a document's, by its title; or those of a topic, by up to
    three words. ``passages`` is how many there are on the map. A name may be empty.
    """

    name: str
    passages: int


@dataclass(frozen=True, slots=True)
class PassageMap:
    """Passages laid out on a plane.

    ``passages`` and ``documents`` are how many the library has, the points some of them or all.
    The groups come with the largest first.
    """

    passages: int
    documents: int
    points: tuple[Point, ...]
    grouping: Grouping
    groups: tuple[Group, ...]


def drawn(engine: Engine, dimension: int, most: int = MOST) -> PassageMap:
    """The map of a library; it takes some seconds, and none of that is spent in the store.

    The same documents give the same map. One more document changes it: there is no map that only
    grows.
    """
    chosen, vectors, passages, documents = _read(engine, dimension, most)
    return _laid_out(chosen, vectors, passages, documents)


def _read(
    engine: Engine, dimension: int, most: int
) -> tuple[list[StoredPassage], Vectors, int, int]:
    """Passages from all over the library with a vector each, and how many it has of what."""
    documents, passages, _ = engine.reader.counts()
    drawn_by_lot = engine.catalogue.sample(most)
    vectors = engine.reader.vectors([one.key for one in drawn_by_lot])
    chosen = [one for one in drawn_by_lot if one.key in vectors]
    rows = [
        mean_vector(vectors[one.key], one.passage.sentences, one.passage.leading) for one in chosen
    ]
    stacked = np.array(rows, dtype=np.float32).reshape(-1, dimension)
    return chosen, stacked, passages, documents


def _laid_out(
    chosen: Sequence[StoredPassage], vectors: Vectors, passages: int, documents: int
) -> PassageMap:
    places = projection.on_a_plane(vectors)
    by: Grouping = "documents" if 1 < documents <= topics.MOST else "topics"
    numbers, names = (_documents if by == "documents" else _topics)(chosen, vectors)
    counts = Counter(numbers.tolist())
    return PassageMap(
        passages=passages,
        documents=documents,
        points=tuple(
            Point(one.passage, one.title, float(x), float(y), int(group))
            for one, (x, y), group in zip(chosen, places.tolist(), numbers, strict=True)
        ),
        grouping=by,
        groups=tuple(Group(name, counts[number]) for number, name in enumerate(names)),
    )


def _documents(chosen: Sequence[StoredPassage], _: Vectors) -> tuple[NDArray[np.int64], list[str]]:
    """A group for each document, those with the most passages first."""
    titles = {one.passage.document_id: one.title for one in chosen}
    counts = Counter(one.passage.document_id for one in chosen)
    order = sorted(counts, key=lambda id_: (-counts[id_], id_))
    numbers = {id_: number for number, id_ in enumerate(order)}
    return (
        np.array([numbers[one.passage.document_id] for one in chosen], dtype=np.int64),
        [titles[id_] for id_ in order],
    )


def _topics(
    chosen: Sequence[StoredPassage], vectors: Vectors
) -> tuple[NDArray[np.int64], list[str]]:
    numbers = topics.alike(projection.widest(vectors))
    names = topics.named([one.passage.text for one in chosen], numbers.tolist())
    return numbers, [", ".join(words) for words in names]
