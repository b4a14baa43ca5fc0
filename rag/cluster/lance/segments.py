"""Distributed index building: workers each index some files as a segment; the segments are merged
and committed as one index.

This applies to indexes that are missing or lack more than half of the rows, and to the vector index
once the library has outgrown it. Smaller gaps are filled by :class:`Table`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import lance
from lance.lance import indices

from rag.cluster.lance import schemas, workers
from rag.cluster.lance.storage import translate_errors
from rag.cluster.lance.table import INDEXED, VECTORS_IN, Table
from rag.cluster.lance.tables import WORDS
from rag.cluster.lance.workers import Part, Workers

_Result = TypeVar("_Result")
_Settings = Mapping[str, Any]

SAMPLED, STEPS = 256, 50
"""Sample size per list and maximum number of iterations for training IVF centroids; Lance's
defaults."""


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """Specification of an index: Lance's type and settings.

    All segments of a vector index share the centroids and the RaBitQ rotation.
    """

    column: str
    name: str
    kind: str
    settings: _Settings


def build(table: Table, sentences: int, by: Workers) -> None:
    """Build indexes that lack many rows. Rows committed meanwhile are found by scanning."""
    parts = workers.parts(table)
    lacking, rows = table.indexes(), table.count()
    wanted = [_of_column(column) for column in INDEXED if 2 * lacking[f"{column}_idx"] > rows]
    before = [name for name in lacking if name.startswith(VECTORS_IN)]
    lists = table.lists_to_train(sentences)
    if lists is None and 2 * lacking[before[0]] > rows:
        lists = int(before[0].removeprefix(VECTORS_IN))
    if lists is not None:
        settings = by.map_reduce(partial(train, lists=lists), parts[:1], _only)
        kind = "IVF_RQ" if lists else "IVF_FLAT"
        wanted.append(IndexSpec(schemas.VECTORS, f"{VECTORS_IN}{lists}", kind, settings))
    made = [_build(one, parts, by) for one in wanted]
    with translate_errors(table.url):
        dataset = table.dataset
        for one, index in zip(wanted, made, strict=True):
            dataset.commit_existing_index_segments(one.name, one.column, [index])
        if lists is not None:
            there = {one.name for one in dataset.describe_indices()}
            for name in before:
                if name in there and name != f"{VECTORS_IN}{lists}":
                    dataset.drop_index(name)


def train(one: Part, lists: int) -> _Settings:
    """Train the settings shared by all segments of the vector index, from the whole table."""
    with translate_errors(one.url):
        dataset = one.table().dataset
        common = {
            "metric": "cosine",
            "num_partitions": max(lists, 1),
            "ivf_centroids": indices.train_ivf_model(
                # Lance's public method counts rows, not vectors, and so complains about too few.
                dataset._ds,  # noqa: SLF001
                schemas.VECTORS,
                one.dimension,
                max(lists, 1),
                "cosine",
                SAMPLED,
                STEPS,
            ),
        }
        turned = {"rabitq_model": indices.build_rq_model(one.dimension)} if lists else {}
        return common | turned


def build_segment(part: Part, wanted: IndexSpec) -> list[lance.Index]:
    """Index one part, without committing."""
    with translate_errors(part.url):
        made = part.table().dataset.create_index_uncommitted(
            wanted.column,
            wanted.kind,
            name=wanted.name,
            replace=True,
            fragment_ids=list(part.files),
            **wanted.settings,
        )
        return [made]


def merge_segments(segments: Sequence[lance.Index], part: Part) -> lance.Index:
    """Merge segments, without committing."""
    with translate_errors(part.url):
        return part.table().dataset.merge_existing_index_segments(list(segments))


def _build(wanted: IndexSpec, parts: Sequence[Part], by: Workers) -> lance.Index:
    segments = by.map_reduce(partial(build_segment, wanted=wanted), parts, _all)
    return by.map_reduce(partial(merge_segments, part=parts[0]), [segments], _only)


def _of_column(column: str) -> IndexSpec:
    if column in ("stems", "context"):
        return IndexSpec(column, f"{column}_idx", "INVERTED", dict(WORDS))
    return IndexSpec(column, f"{column}_idx", "BTREE", {})


def _all(segments: Sequence[list[lance.Index]]) -> list[lance.Index]:
    return [one for some in segments for one in some]


def _only(results: Sequence[_Result]) -> _Result:
    (result,) = results
    return result
