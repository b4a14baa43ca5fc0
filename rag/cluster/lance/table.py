"""A Lance table, read at one version and written in commits.

Passage keys are Lance's row ids, which survive compaction. Commits are atomic, and concurrent
commits to the same rows are serialised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
import pyarrow as pa
from lance.query import BooleanQuery, MatchQuery, Occur
from numpy.typing import NDArray

from rag.cluster.lance.storage import options, translate_errors
from rag.index.columns import Row
from rag.index.lexical import CONTEXT_WEIGHT
from rag.index.vectors.faiss_index import MOST_PROBED
from rag.types.arrays import Keys, Vector

if TYPE_CHECKING:
    from lance.dataset import MergeInsertBuilder

VECTORS = "vectors"
"""The only non-scalar column: a matrix with one row per sentence."""

VECTORS_IN = "vectors_in_"
"""Prefix of the vector index's name, followed by the number of lists; 0 for exact search."""

TAKEN_TOGETHER = 10_000
"""Maximum number of keys per condition."""

CONFLICTS = 20
"""Maximum number of retries of a commit after conflicts."""


@dataclass(frozen=True)
class Table:
    """One table at one version of a library; writes go on top of the newest.

    ``dataset`` is to be used within :func:`rag.cluster.lance.storage.translate_errors`.
    """

    dataset: lance.LanceDataset
    url: str

    @property
    def version(self) -> int:
        """Increases with each commit."""
        return int(self.dataset.version)

    @cached_property
    def _schema(self) -> pa.Schema:
        return self.dataset.schema

    @property
    def dimension(self) -> int:
        """Dimension of the passages' vectors."""
        return int(self._schema.field(VECTORS).type.value_type.list_size)

    def size(self) -> int:
        """Bytes of the data files."""
        with translate_errors(self.url):
            fields: Any = self.dataset.stats.data_stats().fields  # a list, despite its annotation
            return sum(int(one.bytes_on_disk) for one in fields)

    def at(self, version: int) -> Table | None:
        """The table at another version; None if that has been deleted."""
        with translate_errors(self.url):
            if version not in {one["version"] for one in self.dataset.versions()}:
                return None
            return Table(self.dataset.checkout_version(version), self.url)

    def files(self) -> dict[int, int]:
        """Number of rows in each file, by Lance's fragment id."""
        with translate_errors(self.url):
            return {one.fragment_id: one.count_rows() for one in self.dataset.get_fragments()}

    def count(self) -> int:
        """Number of rows."""
        return sum(self.files().values())

    def rows(self, columns: Sequence[str], where: str | None = None) -> list[Row]:
        """Rows that match a condition."""
        return _as_rows(self._scan(columns, where))

    def each(self, columns: Sequence[str], files: Sequence[int] | None = None) -> Iterator[Row]:
        """Stream all rows, or those in some files, in batches."""
        with translate_errors(self.url):
            every = self.dataset.get_fragments()
            some = every if files is None else [one for one in every if one.fragment_id in files]
            if not some:  # Lance would take it to mean all
                return
            scanner = self.dataset.scanner(columns=_once(columns), fragments=some)
            for batch in scanner.to_batches():
                yield from _as_rows(pa.Table.from_batches([batch]))

    def keyed(self, columns: Sequence[str], where: str) -> dict[int, Row]:
        """Rows that match a condition, by key."""
        found = self._scan(columns, where, with_row_id=True)
        return dict(zip(_keys(found).tolist(), _as_rows(found), strict=True))

    def take(self, keys: Sequence[int], columns: Sequence[str]) -> dict[int, Row]:
        """Rows by key; missing ones are left out."""
        found: dict[int, Row] = {}
        for start in range(0, len(keys), TAKEN_TOGETHER):
            listed = ", ".join(str(int(key)) for key in keys[start : start + TAKEN_TOGETHER])
            found |= self.keyed(columns, f"_rowid IN ({listed})")
        return found

    def keys(self, where: str | None) -> Keys:
        """Keys of the rows that match a condition, ascending."""
        return np.sort(_keys(self._scan([], where, with_row_id=True)))

    def first_keys(self, column: str, count: int) -> list[int]:
        """Keys of the first ``count`` rows ordered by a column."""
        ordered = {"order_by": [column], "limit": count, "with_row_id": True}
        return [int(key) for key in _keys(self._scan([column], None, **ordered))]

    @cached_property
    def lists(self) -> int | None:
        """Number of IVF lists of the vector index; 0 if it is exact, None if there is none."""
        with translate_errors(self.url):
            names = [one.name for one in self.dataset.describe_indices()]
        numbers = [int(one.removeprefix(VECTORS_IN)) for one in names if one.startswith(VECTORS_IN)]
        return numbers[0] if numbers else None

    def nearest(self, vector: Vector, count: int, where: str | None) -> Keys:
        """Keys of the rows with the nearest vectors, nearest first."""
        lists = self.lists or 0
        # With a filter, the nearest matches may be in any list.
        probed = lists if where else -(-lists // MOST_PROBED)
        asked = {
            "column": VECTORS,
            "q": vector,
            "k": count,
            "metric": "cosine",
            "nprobes": max(probed, 1),
        }
        return self._ranked("_distance", where, nearest=asked)

    def lexical(self, stems: str, count: int, where: str | None) -> Keys:
        """Keys of the rows that contain any of the stems, best by BM25 first."""
        asked = BooleanQuery(
            [
                (Occur.SHOULD, MatchQuery(stems, "stems")),
                (Occur.SHOULD, MatchQuery(stems, "context", boost=CONTEXT_WEIGHT)),
            ]
        )
        return self._ranked("_score", where, full_text_query=asked, limit=count)

    def _ranked(self, by: str, where: str | None, **query: Any) -> Keys:  # noqa: ANN401 (Lance's)
        """Keys of Lance's results, best first; the condition is applied before ranking."""
        found = self._scan(
            [by],
            where,
            prefilter=True,
            with_row_id=True,
            disable_scoring_autoprojection=True,
            **query,
        )
        return _keys(found)

    def _scan(self, columns: Sequence[str], where: str | None, **more: Any) -> pa.Table:  # noqa: ANN401
        with translate_errors(self.url):
            return self.dataset.scanner(columns=_once(columns), filter=where, **more).to_table()

    def upsert(
        self,
        rows: Sequence[Row],
        key: str,
        *,
        instead_of: str | None = None,
        only_if: str | None = None,
    ) -> None:
        """Insert or replace rows by ``key``, and delete all other rows that match ``instead_of``.
        Existing rows are replaced only if they match ``only_if``, a condition on ``target``
        (existing) and ``source`` (new) columns.
        """
        if not rows:
            if instead_of:
                self.delete(instead_of)
            return
        with translate_errors(self.url):
            merging = self._merging(key, only_if).when_not_matched_insert_all()
            if instead_of:
                merging = merging.when_not_matched_by_source_delete(instead_of)
            merging.execute(_as_arrow(rows, self._schema))

    def amend(self, rows: Sequence[Row], key: str, *, only_if: str | None = None) -> None:
        """Update some columns of the rows with the same key, of which there may be several.
        ``only_if`` is as in :meth:`upsert`.
        """
        if rows:
            with translate_errors(self.url):
                self._merging(key, only_if).execute(_as_arrow(rows, self._schema))

    def _merging(self, key: str, only_if: str | None) -> MergeInsertBuilder:
        merging = self.dataset.merge_insert(key).when_matched_update_all(only_if)
        # With a primary-key index, pylance 14 rejects conditions (“must not be nullable”).
        return merging.use_index(only_if is None).conflict_retries(CONFLICTS)

    def delete(self, where: str) -> None:
        """Delete the rows that match a condition."""
        with translate_errors(self.url):
            self.dataset.delete(where)

    def replace(self, rows: Sequence[Row]) -> None:
        """Replace all rows by these."""
        with translate_errors(self.url):
            lance.write_dataset(
                _as_arrow(rows, self._schema) if rows else self._schema.empty_table(),
                self.dataset.uri,
                mode="overwrite",
                enable_stable_row_ids=True,
                storage_options=options(),
            )


def _once(columns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(columns))


def _keys(table: pa.Table) -> Keys:
    keys: Keys = table.column("_rowid").to_numpy().astype(np.int64)
    return keys


def _as_arrow(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Convert rows to a table with those columns of the schema that they have."""
    fields = [one for one in schema if one.name in rows[0]]
    columns = []
    for field in fields:
        values = [row[field.name] for row in rows]
        columns.append(_ragged(values) if field.name == VECTORS else pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _as_rows(table: pa.Table) -> list[Row]:
    columns = {
        name: _matrices(column) if name == VECTORS else column.to_pylist()
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _ragged(matrices: Sequence[NDArray[Any]]) -> pa.Array:
    """Lists of vectors, from matrices of different heights."""
    numbers = np.concatenate(matrices).astype(np.float16)
    ends = np.cumsum([0, *map(len, matrices)], dtype=np.int32)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), numbers.shape[1])
    return pa.ListArray.from_arrays(pa.array(ends), vectors)


def _matrices(column: pa.ChunkedArray) -> list[NDArray[np.float16]]:
    found: list[NDArray[np.float16]] = []
    for chunk in column.chunks:
        vectors = chunk.flatten()
        numbers = vectors.flatten().to_numpy(zero_copy_only=False)
        matrix = numbers.reshape(len(vectors), vectors.type.list_size)
        ends = np.cumsum(chunk.value_lengths().to_numpy(zero_copy_only=False))
        found += np.split(matrix, ends[:-1])
    return found
