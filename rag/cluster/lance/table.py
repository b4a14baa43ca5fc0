"""A Lance table, read at one version and written in commits.

Passage keys are Lance's row ids, which survive compaction. Commits are atomic, and concurrent
commits to the same rows are serialised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
from lance.query import BooleanQuery, MatchQuery, Occur

from rag.cluster.lance import schemas
from rag.cluster.lance.storage import options, translate_errors
from rag.index.columns import Row
from rag.index.lexical import CONTEXT_WEIGHT
from rag.index.vectors.faiss_index import MOST_PROBED
from rag.index.vectors.segment import EXACT, lists_for
from rag.types.arrays import Keys, Vector

if TYPE_CHECKING:
    import pyarrow as pa
    from lance.dataset import MergeInsertBuilder

VECTORS_IN = "vectors_in_"
"""Prefix of the vector index's name, followed by the number of lists; 0 for exact search."""

TAKEN_TOGETHER = 10_000
"""Maximum number of keys per condition."""

INDEXED = ("id", "document", "content", "stems", "context")
"""Indexed columns of passages, apart from vectors."""

CONFLICTS = 20
"""Maximum number of retries of a commit after conflicts."""


class Table:
    """One table at one version; writes go on top of the newest."""

    def __init__(self, dataset: lance.LanceDataset, schema: pa.Schema, url: str) -> None:
        self._dataset = dataset
        self._schema = schema
        self._url = url

    @property
    def dataset(self) -> lance.LanceDataset:
        """The Lance dataset; use within :func:`translate_errors`."""
        return self._dataset

    @property
    def url(self) -> str:
        """URL of the library."""
        return self._url

    @property
    def version(self) -> int:
        """Increases with each commit."""
        return int(self._dataset.version)

    @property
    def dimension(self) -> int:
        """Dimension of the passages' vectors."""
        return int(self._schema.field(schemas.VECTORS).type.value_type.list_size)

    def size(self) -> int:
        """Bytes of the data files."""
        with translate_errors(self._url):
            fields: Any = self._dataset.stats.data_stats().fields  # a list, despite its annotation
            return sum(int(one.bytes_on_disk) for one in fields)

    def at(self, version: int) -> Table | None:
        """The table at another version; None if that has been deleted."""
        with translate_errors(self._url):
            if version not in {one["version"] for one in self._dataset.versions()}:
                return None
            return Table(self._dataset.checkout_version(version), self._schema, self._url)

    def indexes(self) -> dict[str, int]:
        """Indexes of passages, with the number of unindexed rows in each; for a missing index, all
        rows.
        """
        with translate_errors(self._url):
            covered = {
                one.name: {
                    fragment for segment in one.segments for fragment in segment.fragment_ids
                }
                for one in self._dataset.describe_indices()
            }
            vectors = [name for name in covered if name.startswith(VECTORS_IN)]
            wanted = [*(f"{one}_idx" for one in INDEXED), *(vectors or [f"{VECTORS_IN}0"])]
            rows = self.files()
            return {
                name: sum(rows[one] for one in rows.keys() - covered.get(name, set()))
                for name in wanted
            }

    def count(self, where: str | None = None) -> int:
        """Number of rows that match a condition."""
        with translate_errors(self._url):
            return int(self._dataset.count_rows(filter=where))

    def rows(self, columns: Sequence[str], where: str | None = None) -> list[Row]:
        """Rows that match a condition."""
        with translate_errors(self._url):
            found = self._dataset.scanner(columns=_once(columns), filter=where).to_table()
            return list(schemas.as_rows(found))

    def files(self) -> dict[int, int]:
        """Number of rows in each file, by Lance's fragment id."""
        with translate_errors(self._url):
            return {one.fragment_id: one.count_rows() for one in self._dataset.get_fragments()}

    def each(self, columns: Sequence[str], files: Sequence[int] | None = None) -> Iterator[Row]:
        """Stream all rows, or those in some files, in batches."""
        with translate_errors(self._url):
            every = self._dataset.get_fragments()
            some = every if files is None else [one for one in every if one.fragment_id in files]
            if not some:  # Lance would take it to mean all
                return
            for batch in self._dataset.scanner(columns=_once(columns), fragments=some).to_batches():
                yield from schemas.as_rows(schemas.of_batch(batch))

    def keyed(self, columns: Sequence[str], where: str) -> dict[int, Row]:
        """Rows that match a condition, by key."""
        with translate_errors(self._url):
            found = self._dataset.scanner(
                columns=_once(columns), filter=where, with_row_id=True
            ).to_table()
            keys = found.column("_rowid").to_pylist()
            return dict(zip(keys, schemas.as_rows(found), strict=True))

    def take(self, keys: Sequence[int], columns: Sequence[str]) -> dict[int, Row]:
        """Rows by key; missing ones are left out."""
        found: dict[int, Row] = {}
        for start in range(0, len(keys), TAKEN_TOGETHER):
            listed = ", ".join(str(int(key)) for key in keys[start : start + TAKEN_TOGETHER])
            found |= self.keyed(columns, f"_rowid IN ({listed})")
        return found

    def keys(self, where: str | None) -> Keys:
        """Keys of the rows that match a condition, ascending."""
        with translate_errors(self._url):
            found = self._dataset.scanner(columns=[], filter=where, with_row_id=True).to_table()
            return np.sort(_keys(found))

    def first_keys(self, column: str, count: int) -> list[int]:
        """Keys of the first ``count`` rows ordered by a column."""
        with translate_errors(self._url):
            found = self._dataset.scanner(
                columns=[column], order_by=[column], limit=count, with_row_id=True
            ).to_table()
            return [int(key) for key in _keys(found)]

    @cached_property
    def _lists(self) -> int:
        """Number of IVF lists, from the index's name; 0 if search is exact."""
        found = [name for name in self._indexed if name.startswith(VECTORS_IN)]
        return int(found[0].removeprefix(VECTORS_IN)) if found else 0

    @property
    def _indexed(self) -> list[str]:
        return [one.name for one in self._dataset.describe_indices()]

    @property
    def exact(self) -> bool:
        """Whether :meth:`nearest` compares all vectors."""
        return not self._lists

    def nearest(self, vector: Vector, count: int, where: str | None) -> Keys:
        """Keys of the rows with the nearest vectors, nearest first."""
        with translate_errors(self._url):
            # With a filter, the nearest matches may be in any list.
            probed = self._lists if where else -(-self._lists // MOST_PROBED)
        asked = {
            "column": schemas.VECTORS,
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
        return self._ranked("_score", where, words=asked, limit=count)

    def _ranked(
        self,
        by: str,
        where: str | None,
        *,
        nearest: dict[str, Any] | None = None,
        words: BooleanQuery | None = None,
        limit: int | None = None,
    ) -> Keys:
        """Keys of Lance's results, best first; the condition is applied before ranking."""
        with translate_errors(self._url):
            found = self._dataset.scanner(
                columns=[by],
                nearest=nearest,
                full_text_query=words,
                limit=limit,
                filter=where,
                prefilter=True,
                with_row_id=True,
                disable_scoring_autoprojection=True,
            ).to_table()
            return _keys(found)

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
        with translate_errors(self._url):
            merging = self._merging(key, only_if).when_not_matched_insert_all()
            if instead_of:
                merging = merging.when_not_matched_by_source_delete(instead_of)
            merging.execute(schemas.as_arrow(rows, self._schema))

    def amend(self, rows: Sequence[Row], key: str, *, only_if: str | None = None) -> None:
        """Update some columns of the rows with the same key, of which there may be several.
        ``only_if`` is as in :meth:`upsert`.
        """
        if not rows:
            return
        with translate_errors(self._url):
            self._merging(key, only_if).execute(schemas.as_arrow(rows, self._schema))

    def _merging(self, key: str, only_if: str | None) -> MergeInsertBuilder:
        merging = self._dataset.merge_insert(key).when_matched_update_all(only_if)
        # With a primary-key index, pylance 14 rejects conditions (“must not be nullable”).
        return merging.use_index(only_if is None).conflict_retries(CONFLICTS)

    def delete(self, where: str) -> None:
        """Delete the rows that match a condition."""
        with translate_errors(self._url):
            self._dataset.delete(where)

    def replace(self, rows: Sequence[Row]) -> None:
        """Replace all rows by these."""
        with translate_errors(self._url):
            lance.write_dataset(
                schemas.as_arrow(rows, self._schema) if rows else self._schema.empty_table(),
                self._dataset.uri,
                mode="overwrite",
                enable_stable_row_ids=True,
                storage_options=options(),
            )

    def index_key(self) -> None:
        """Update the key's index, or create it."""
        with translate_errors(self._url):
            if self._indexed:
                self._dataset.optimize.optimize_indices()
            else:
                self._dataset.create_scalar_index(self._schema[0].name, "BTREE")

    def lists_to_train(self, sentences: int) -> int | None:
        """Number of IVF lists for a new vector index (0 for exact search), or None if the existing
        one can stay.
        """
        with translate_errors(self._url):
            there = any(name.startswith(VECTORS_IN) for name in self._indexed)
            before = self._lists
        lists = 0 if sentences <= EXACT else lists_for(sentences)
        # Lists trained on little data become too long as the library grows.
        stays = there and bool(lists) == bool(before) and lists < 2 * (before or 1)
        return None if stays else lists

    def index_passages(self, sentences: int) -> None:
        """Update all indexes of passages; the vector index is rebuilt if the size requires it."""
        with translate_errors(self._url):
            indexed = self._indexed
            for column in ("id", "document", "content"):
                if f"{column}_idx" not in indexed:
                    self._dataset.create_scalar_index(column, "BTREE")
            if not sentences:
                return
            lists = self.lists_to_train(sentences)
            if lists is not None:
                before = [name for name in indexed if name.startswith(VECTORS_IN)]
                for name in before:
                    self._dataset.drop_index(name)
                self._dataset.create_index(
                    schemas.VECTORS,
                    "IVF_RQ" if lists else "IVF_FLAT",
                    name=f"{VECTORS_IN}{lists}",
                    metric="cosine",
                    num_partitions=max(lists, 1),
                )
            self._dataset.optimize.optimize_indices()


def _once(columns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(columns))


def _keys(table: pa.Table) -> Keys:
    keys: Keys = table.column("_rowid").to_numpy().astype(np.int64)
    return keys
