"""A Lance table, read at one version and written in commits.

Each row has an id that Lance gives it and that stays when rows are compacted: that is the key of a
passage. What is written is there whole or not at all, and two that write the same rows at once come
one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
from lance.query import BooleanQuery, MatchQuery, Occur

from rag.cluster.lance import schemas
from rag.cluster.lance.rows import Row
from rag.cluster.lance.storage import options, told
from rag.index.lexical import CONTEXT_WEIGHT
from rag.index.vectors.faiss_index import MOST_PROBED
from rag.index.vectors.segment import EXACT, lists_for
from rag.types.arrays import Keys, Vector

if TYPE_CHECKING:
    import pyarrow as pa
    from lance.dataset import MergeInsertBuilder

VECTORS_IN = "vectors_in_"
"""The name of the vectors' index, before the number of its lists; 0 where all are compared."""

TAKEN_TOGETHER = 10_000
"""Keys in one condition."""

INDEXED = ("id", "document", "content", "stems", "context")
"""The columns of passages that have an index, besides that of the vectors."""

CONFLICTS = 20
"""How often a commit is tried anew that others came before."""


class Table:
    """One table at one version; what it is asked to write goes on top of the newest."""

    def __init__(self, dataset: lance.LanceDataset, schema: pa.Schema, url: str) -> None:
        self._dataset = dataset
        self._schema = schema
        self._url = url

    @property
    def dataset(self) -> lance.LanceDataset:
        """As Lance has it; within :func:`told`."""
        return self._dataset

    @property
    def url(self) -> str:
        """Of the library."""
        return self._url

    @property
    def version(self) -> int:
        """Rises with each commit."""
        return int(self._dataset.version)

    @property
    def dimension(self) -> int:
        """Length of the vectors of passages."""
        return int(self._schema.field(schemas.VECTORS).type.value_type.list_size)

    def size(self) -> int:
        """Bytes of the files with the rows."""
        with told(self._url):
            fields: Any = self._dataset.stats.data_stats().fields  # a list, whatever its types say
            return sum(int(one.bytes_on_disk) for one in fields)

    def at(self, version: int) -> Table | None:
        """The table as it was at a version; None if that is kept no more."""
        with told(self._url):
            if version not in {one["version"] for one in self._dataset.versions()}:
                return None
            return Table(self._dataset.checkout_version(version), self._schema, self._url)

    def indexes(self) -> dict[str, int]:
        """The indexes of passages, each with the number of rows that it lacks; all of them where
        there is none.
        """
        with told(self._url):
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
        """How many rows meet a condition."""
        with told(self._url):
            return int(self._dataset.count_rows(filter=where))

    def rows(self, columns: Sequence[str], where: str | None = None) -> list[Row]:
        """Rows that meet a condition."""
        with told(self._url):
            found = self._dataset.scanner(columns=_once(columns), filter=where).to_table()
            return list(schemas.as_rows(found))

    def files(self) -> dict[int, int]:
        """The number of rows in each file, by Lance's number of it."""
        with told(self._url):
            return {one.fragment_id: one.count_rows() for one in self._dataset.get_fragments()}

    def each(self, columns: Sequence[str], files: Sequence[int] | None = None) -> Iterator[Row]:
        """All rows, or those in some files, a batch at a time."""
        with told(self._url):
            every = self._dataset.get_fragments()
            some = every if files is None else [one for one in every if one.fragment_id in files]
            if not some:  # by Lance, all would be meant
                return
            for batch in self._dataset.scanner(columns=_once(columns), fragments=some).to_batches():
                yield from schemas.as_rows(schemas.of_batch(batch))

    def keyed(self, columns: Sequence[str], where: str) -> dict[int, Row]:
        """Rows that meet a condition, by key."""
        with told(self._url):
            found = self._dataset.scanner(
                columns=_once(columns), filter=where, with_row_id=True
            ).to_table()
            keys = found.column("_rowid").to_pylist()
            return dict(zip(keys, schemas.as_rows(found), strict=True))

    def take(self, keys: Sequence[int], columns: Sequence[str]) -> dict[int, Row]:
        """Rows by key; one that is not there is left out."""
        found: dict[int, Row] = {}
        for start in range(0, len(keys), TAKEN_TOGETHER):
            listed = ", ".join(str(int(key)) for key in keys[start : start + TAKEN_TOGETHER])
            found |= self.keyed(columns, f"_rowid IN ({listed})")
        return found

    def keys(self, where: str | None) -> Keys:
        """The keys of the rows that meet a condition, ascending."""
        with told(self._url):
            found = self._dataset.scanner(columns=[], filter=where, with_row_id=True).to_table()
            return np.sort(_keys(found))

    def first_keys(self, column: str, count: int) -> list[int]:
        """The keys of the first rows by a column."""
        with told(self._url):
            found = self._dataset.scanner(
                columns=[column], order_by=[column], limit=count, with_row_id=True
            ).to_table()
            return [int(key) for key in _keys(found)]

    @cached_property
    def _lists(self) -> int:
        """In how many lists the vectors are; 0 where all are compared. The index's name says it."""
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
        """The keys of the rows with the nearest vectors, the nearest first."""
        with told(self._url):
            # Where few may be found, the nearest of them are anywhere.
            probed = self._lists if where else -(-self._lists // MOST_PROBED)
        asked = {
            "column": schemas.VECTORS,
            "q": vector,
            "k": count,
            "metric": "cosine",
            "nprobes": max(probed, 1),
        }
        return self._ranked("_distance", where, nearest=asked)

    def worded(self, stems: str, count: int, where: str | None) -> Keys:
        """The keys of the rows that have any of some stems, the best by BM25 first."""
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
        """The keys of what Lance finds, the best first; the condition holds before that."""
        with told(self._url):
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
        """Put rows in, each in the place of one with the same key; other rows that meet the
        condition ``instead_of`` go. A row that is there is left as it is unless it meets the
        condition ``only_if``, about the columns of ``target`` (there) and ``source`` (given).
        """
        if not rows:
            if instead_of:
                self.delete(instead_of)
            return
        with told(self._url):
            merging = self._merging(key, only_if).when_not_matched_insert_all()
            if instead_of:
                merging = merging.when_not_matched_by_source_delete(instead_of)
            merging.execute(schemas.as_arrow(rows, self._schema))

    def amend(self, rows: Sequence[Row], key: str, *, only_if: str | None = None) -> None:
        """Change some columns of the rows that have the same key; there may be several. As in
        :meth:`upsert` they are left as they are unless they meet ``only_if``.
        """
        if not rows:
            return
        with told(self._url):
            self._merging(key, only_if).execute(schemas.as_arrow(rows, self._schema))

    def _merging(self, key: str, only_if: str | None) -> MergeInsertBuilder:
        merging = self._dataset.merge_insert(key).when_matched_update_all(only_if)
        # By the index of a primary key pylance 14 refuses conditions (“must not be nullable”).
        return merging.use_index(only_if is None).conflict_retries(CONFLICTS)

    def delete(self, where: str) -> None:
        """Take out the rows that meet a condition."""
        with told(self._url):
            self._dataset.delete(where)

    def replace(self, rows: Sequence[Row]) -> None:
        """Put these rows in the place of all."""
        with told(self._url):
            lance.write_dataset(
                schemas.as_arrow(rows, self._schema) if rows else self._schema.empty_table(),
                self._dataset.uri,
                mode="overwrite",
                enable_stable_row_ids=True,
                storage_options=options(),
            )

    def index_key(self) -> None:
        """Bring the index of the key up to date, or make it."""
        with told(self._url):
            if self._indexed:
                self._dataset.optimize.optimize_indices()
            else:
                self._dataset.create_scalar_index(self._schema[0].name, "BTREE")

    def lists_to_train(self, sentences: int) -> int | None:
        """In how many lists the vectors are to be, 0 for all in one, where the index has to be made
        anew for that; None where it can stay.
        """
        with told(self._url):
            there = any(name.startswith(VECTORS_IN) for name in self._indexed)
            before = self._lists
        lists = 0 if sentences <= EXACT else lists_for(sentences)
        # Trained on few, lists of many are long ones.
        stays = there and bool(lists) == bool(before) and lists < 2 * (before or 1)
        return None if stays else lists

    def index_passages(self, sentences: int) -> None:
        """Bring all indexes of passages up to date; the vectors' is made anew for another size."""
        with told(self._url):
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
