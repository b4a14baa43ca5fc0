"""Indexes of a library's passages, built by parts: on this machine, or on several.

Each worker indexes some files as a segment; the segments are merged and committed as one index.
This applies to indexes that are missing or lack more than half of the rows, and to the vector index
once the library has outgrown its lists. Lance itself adds fewer rows. Until then it finds rows that
an index lacks by scanning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Protocol, TypeVar

import lance
from lance.lance import indices

from rag.cluster.lance.storage import translate_errors
from rag.cluster.lance.table import VECTORS, VECTORS_IN, Table
from rag.cluster.lance.tables import WORDS, Tables
from rag.errors import LibraryError
from rag.index.vectors.segment import EXACT, lists_for

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")
_Settings = Mapping[str, Any]

INDEXED = ("id", "document", "content", "stems", "context")
"""Indexed columns of passages, apart from vectors."""

ROWS = 50_000
"""Rows per part, unless one file has more: few enough that a lost machine costs little, enough that
terms common to all parts add little overhead."""

SAMPLED, STEPS = 256, 50
"""Sample size per list and maximum number of iterations for training IVF centroids; Lance's
defaults."""


class Workers(Protocol):
    """Who does the work of parts, such as :class:`rag.cluster.ray.pipeline.Machines`."""

    def map_reduce(
        self,
        work: Callable[[_Part], _Result],
        parts: Sequence[_Part],
        join: Callable[[Iterable[_Result]], _Result],
    ) -> _Result:
        """Map ``work`` over the parts and reduce the results with ``join``, some at a time.
        Everything sent must be picklable, and parts may be processed twice.
        """
        ...


class _ThisProcess:
    """Implements :class:`Workers`, one part after the other."""

    def map_reduce(
        self,
        work: Callable[[_Part], _Result],
        parts: Sequence[_Part],
        join: Callable[[Iterable[_Result]], _Result],
    ) -> _Result:
        """Map and reduce, with one result in memory besides the joined one."""
        return join(map(work, parts))


HERE = _ThisProcess()
"""This process as the only worker."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some files of the passages table at one version."""

    url: str
    version: int
    files: tuple[int, ...]

    def table(self) -> Table:
        """The whole passages table, including other parts.

        Raises
        ------
        LibraryError
            If the version has been deleted.
        """
        table = Tables(self.url).passages.at(self.version)
        if table is None:
            raise LibraryError(
                f"{self.url} was cleared while its indexes were being built; index again: rag index"
            )
        return table


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """Specification of an index: Lance's type and settings.

    All segments of a vector index share the centroids and the RaBitQ rotation.
    """

    column: str
    name: str
    kind: str
    settings: _Settings


def parts(table: Table) -> list[Part]:
    """Split a table into at least one part."""
    return [Part(table.url, table.version, files) for files in _groups(table.files())] or [
        Part(table.url, table.version, ())
    ]


def _groups(rows: Mapping[int, int]) -> Iterator[tuple[int, ...]]:
    group: list[int] = []
    held = 0
    for file, count in rows.items():
        if group and held + count > ROWS:
            yield tuple(group)
            group, held = [], 0
        group.append(file)
        held += count
    if group:
        yield tuple(group)


def lacking(passages: Table) -> dict[str, int]:
    """Number of rows that each index of passages lacks, by its name; a missing one lacks all."""
    with translate_errors(passages.url):
        covered = {
            one.name: {fragment for segment in one.segments for fragment in segment.fragment_ids}
            for one in passages.dataset.describe_indices()
        }
    rows = passages.files()
    wanted = [*(f"{one}_idx" for one in INDEXED), f"{VECTORS_IN}{passages.lists or 0}"]
    return {
        name: sum(rows[one] for one in rows.keys() - covered.get(name, set())) for name in wanted
    }


def update(tables: Tables, sentences: int, by: Workers) -> None:
    """Build the indexes of passages that lack many rows, or have outgrown their lists."""
    table = tables.passages
    files, lacks, rows = parts(table), lacking(table), table.count()
    wanted = [_of_column(column) for column in INDEXED if 2 * lacks[f"{column}_idx"] > rows]
    lists = _suitable_lists(table.lists, sentences)
    vectors = f"{VECTORS_IN}{lists}"
    if 2 * lacks.get(vectors, rows) > rows:
        settings = by.map_reduce(partial(train, lists=lists), files[:1], _only)
        wanted.append(IndexSpec(VECTORS, vectors, "IVF_RQ" if lists else "IVF_FLAT", settings))
    made = [_build(one, files, by) for one in wanted]
    with translate_errors(table.url):
        for one, index in zip(wanted, made, strict=True):
            table.dataset.commit_existing_index_segments(one.name, one.column, [index])
        for name in {one.name for one in table.dataset.describe_indices()} - {vectors}:
            if name.startswith(VECTORS_IN):
                table.dataset.drop_index(name)


def add_new_rows(table: Table) -> None:
    """Add rows that the table's indexes lack; if it has none, index its key."""
    with translate_errors(table.url):
        if table.dataset.describe_indices():
            table.dataset.optimize.optimize_indices()
        else:
            table.dataset.create_scalar_index(table.dataset.schema[0].name, "BTREE")


def _suitable_lists(before: int | None, sentences: int) -> int:
    """Number of IVF lists, 0 for exact search: the current one while it suits the library, as lists
    trained on little data become too long when it grows.
    """
    lists = 0 if sentences <= EXACT else lists_for(sentences)
    stays = before is not None and bool(lists) == bool(before) and lists < 2 * (before or 1)
    return before if before is not None and stays else lists


def train(one: Part, lists: int) -> _Settings:
    """Train the settings shared by all segments of the vector index, from the whole table."""
    with translate_errors(one.url):
        table = one.table()
        centroids = indices.train_ivf_model(
            # Lance's public method counts rows, not vectors, and so complains about too few.
            table.dataset._ds,  # noqa: SLF001
            VECTORS,
            table.dimension,
            max(lists, 1),
            "cosine",
            SAMPLED,
            STEPS,
        )
        turned = {"rabitq_model": indices.build_rq_model(table.dimension)} if lists else {}
        return {
            "metric": "cosine",
            "num_partitions": max(lists, 1),
            "ivf_centroids": centroids,
            **turned,
        }


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


def _build(wanted: IndexSpec, files: Sequence[Part], by: Workers) -> lance.Index:
    segments = by.map_reduce(partial(build_segment, wanted=wanted), files, _all)
    return by.map_reduce(partial(merge_segments, part=files[0]), [segments], _only)


def _of_column(column: str) -> IndexSpec:
    kind, settings = ("INVERTED", WORDS) if column in {"stems", "context"} else ("BTREE", {})
    return IndexSpec(column, f"{column}_idx", kind, dict(settings))


def _all(segments: Iterable[list[lance.Index]]) -> list[lance.Index]:
    return list(chain.from_iterable(segments))


def _only(results: Iterable[_Result]) -> _Result:
    (result,) = results
    return result
