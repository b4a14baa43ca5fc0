"""Table schemas of a shared library, and conversion of rows to Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rag.index.columns import Row

VECTORS = "vectors"
"""The only non-scalar column: a matrix with one row per sentence."""

_KEY = {"lance-schema:unenforced-primary-key": "true"}
"""Without it, two concurrent inserts of the same id would both succeed and duplicate it."""

_CONDITIONS: Mapping[str, pa.DataType] = {
    "date": pa.string(),
    "date_from": pa.string(),
    "folded": pa.string(),
    "language": pa.string(),
    "facts": pa.list_(pa.string()),
    "located": pa.string(),
}
"""Filter columns, common to documents and passages."""


def passages(dimension: int) -> pa.Schema:
    """One row per passage, with everything a search needs of it and its document."""
    return _schema(
        "id",
        {
            "document": pa.string(),
            "start": pa.int32(),
            "end": pa.int32(),
            "text": pa.string(),
            "sentences": pa.binary(),
            "leading": pa.int32(),
            "headings": pa.string(),
            "pages": pa.string(),
            "content": pa.int64(),
            VECTORS: pa.list_(pa.list_(pa.float16(), dimension)),
            "counts": pa.binary(),
            "pieces": pa.binary(),
            "bits": pa.binary(),
            "title_bits": pa.binary(),
            "stems": pa.string(),
            "context": pa.string(),
            "literal": pa.string(),
            "checksum": pa.int64(),
            "title": pa.string(),
            "sources": pa.list_(pa.string()),
            "revision": pa.int64(),
            **_CONDITIONS,
        },
    )


def documents() -> pa.Schema:
    """One row per document."""
    texts = ("title", "digest", "metadata", "headings", "pages", "page_labels", "warnings", "text")
    numbers = ("checksum", "page_count", "characters", "passages", "sentences", "revision", "seen")
    return _schema(
        "id",
        {
            **dict.fromkeys(texts, pa.string()),
            **dict.fromkeys(numbers, pa.int64()),
            "paths": pa.list_(pa.string()),
            "files": pa.list_(pa.string()),
            **_CONDITIONS,
        },
    )


def files() -> pa.Schema:
    """One row per file read."""
    texts = dict.fromkeys(("digest", "reader", "failures"), pa.string())
    numbers = dict.fromkeys(("size", "modified_ns"), pa.int64())
    return _schema("path", {**texts, **numbers, "seconds": pa.float64()})


def notes() -> pa.Schema:
    """One row per note."""
    return _schema("name", {"value": pa.string()})


def terms() -> pa.Schema:
    """One row per term (word or word piece) with its document frequency over passages."""
    return _schema("term", {"passages": pa.int64()})


def as_arrow(rows: Sequence[Row], schema: pa.Schema) -> pa.Table:
    """Convert rows to a table with those columns of the schema that they have."""
    fields = [one for one in schema if one.name in rows[0]]
    columns = [
        _column([row[one.name] for row in rows], one.type, is_matrix=one.name == VECTORS)
        for one in fields
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def of_batch(batch: pa.RecordBatch) -> pa.Table:
    """Convert a record batch to a table."""
    return pa.Table.from_batches([batch])


def as_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Convert a table to rows."""
    columns: dict[str, Iterable[Any]] = {
        name: _matrices(table.column(name)) if name == VECTORS else table.column(name).to_pylist()
        for name in table.column_names
    }
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _schema(key: str, columns: Mapping[str, pa.DataType]) -> pa.Schema:
    fields = [pa.field(name, type_) for name, type_ in columns.items()]
    return pa.schema([pa.field(key, pa.string(), nullable=False, metadata=_KEY), *fields])


def _column(values: Sequence[Any], type_: pa.DataType, *, is_matrix: bool) -> pa.Array:
    if not is_matrix:
        return pa.array(values, type=type_)
    numbers = np.concatenate(values).astype(np.float16)
    ends = np.cumsum([0, *map(len, values)], dtype=np.int32)
    rows = pa.FixedSizeListArray.from_arrays(pa.array(numbers.reshape(-1)), numbers.shape[1])
    return pa.ListArray.from_arrays(pa.array(ends), rows)


def _matrices(column: pa.ChunkedArray) -> list[NDArray[np.float16]]:
    found: list[NDArray[np.float16]] = []
    for chunk in column.chunks:
        rows = chunk.flatten()
        numbers = rows.flatten().to_numpy(zero_copy_only=False)
        matrix = numbers.reshape(len(rows), rows.type.list_size)
        ends = np.cumsum(chunk.value_lengths().to_numpy(zero_copy_only=False))
        found += np.split(matrix, ends[:-1])
    return found
