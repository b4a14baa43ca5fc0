"""The tables of a shared library: their schemas, and the newest version of each at a URL."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import lance
import pyarrow as pa

from rag.cluster.lance.storage import options, shared_session, translate_errors
from rag.cluster.lance.table import VECTORS, Table
from rag.errors import LibraryNotFound

WORDS: Mapping[str, Any] = MappingProxyType(
    {
        "base_tokenizer": "whitespace",  # stemming is done on writing, by language
        "stem": False,
        "lower_case": False,
        "remove_stop_words": False,
        "ascii_folding": False,
        "max_token_length": None,
        "with_position": False,
    }
)
"""Tokenizer settings of the full-text index on stems."""


class Tables:
    """The tables of one library; each property opens the newest version."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = shared_session()
        self._opened: dict[str, lance.LanceDataset] = {}
        self._pinned: dict[str, Table] = {}

    @property
    def passages(self) -> Table:
        """One row per passage, with everything a search needs of it and its document."""
        return self._newest("passages")

    @property
    def documents(self) -> Table:
        """One row per document."""
        return self._newest("documents")

    @property
    def files(self) -> Table:
        """One row per file read."""
        return self._newest("files")

    @property
    def terms(self) -> Table:
        """One row per term (word or word piece) with its document frequency over passages."""
        return self._newest("terms")

    @property
    def notes(self) -> Table:
        """One row per note."""
        return self._newest("notes")

    def all(self) -> dict[str, Table]:
        """All tables by name."""
        return {name: self._newest(name) for name in schemas(0)}

    def exist(self) -> bool:
        """Whether there is a library: the notes table is created last."""
        try:
            self._newest("notes")
        except LibraryNotFound:
            return False
        return True

    def create(self, dimension: int) -> None:
        """Create missing tables for vectors of a dimension, with the indexes needed from the
        start.
        """
        for name, schema in schemas(dimension).items():
            with translate_errors(self.url):
                try:
                    lance.dataset(self._place(name), storage_options=options())
                except ValueError:
                    made = lance.write_dataset(
                        schema.empty_table(),
                        self._place(name),
                        mode="create",
                        enable_stable_row_ids=True,
                        storage_options=options(),
                    )
                    if name == "passages":
                        for column in ("stems", "context"):
                            made.create_scalar_index(column, "INVERTED", **WORDS)

    def pinned(self) -> Tables:
        """The same tables, pinned to their current versions."""
        pinned = Tables(self.url)
        pinned._pinned = self.all()
        return pinned

    def _newest(self, name: str) -> Table:
        if name in self._pinned:
            return self._pinned[name]
        with translate_errors(self.url):
            found = self._opened.get(name)
            if found is None:
                found = lance.dataset(
                    self._place(name), storage_options=options(), session=self._session
                )
            else:
                found = found.checkout_version(found.latest_version)
            self._opened[name] = found
            return Table(found, self.url)

    def _place(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}.lance"


def schemas(dimension: int) -> Mapping[str, pa.Schema]:
    """The schema of each table, ``notes`` last; the first column is the key."""
    number, texts = pa.int64(), pa.list_(pa.string())
    conditions = {**_strings("date", "date_from", "folded", "language", "located"), "facts": texts}
    return {
        "passages": _schema(
            "id",
            {
                **_strings("document", "text", "headings", "pages", "title"),
                **dict.fromkeys(("start", "end", "leading"), pa.int32()),
                **dict.fromkeys(("content", "checksum", "revision"), number),
                **dict.fromkeys(("sentences", "counts", "pieces", "bits"), pa.binary()),
                "title_bits": pa.binary(),
                VECTORS: pa.list_(pa.list_(pa.float16(), dimension)),
                **_strings("stems", "context", "literal"),
                "sources": texts,
                **conditions,
            },
        ),
        "documents": _schema(
            "id",
            {
                **_strings("title", "digest", "metadata", "headings", "pages", "page_labels"),
                **_strings("warnings", "text"),
                **dict.fromkeys(("checksum", "page_count", "characters"), number),
                **dict.fromkeys(("passages", "sentences", "revision", "seen"), number),
                **dict.fromkeys(("paths", "files"), texts),
                **conditions,
            },
        ),
        "files": _schema(
            "path",
            {
                **_strings("digest", "reader", "failures"),
                **dict.fromkeys(("size", "modified_ns"), number),
                "seconds": pa.float64(),
            },
        ),
        "terms": _schema("term", {"passages": number}),
        "notes": _schema("name", _strings("value")),
    }


def _strings(*names: str) -> dict[str, pa.DataType]:
    return dict.fromkeys(names, pa.string())


def _schema(key: str, columns: Mapping[str, pa.DataType]) -> pa.Schema:
    # Without a declared key, two concurrent inserts of the same id would both succeed.
    declared = {"lance-schema:unenforced-primary-key": "true"}
    fields = [pa.field(name, type_) for name, type_ in columns.items()]
    return pa.schema([pa.field(key, pa.string(), nullable=False, metadata=declared), *fields])
