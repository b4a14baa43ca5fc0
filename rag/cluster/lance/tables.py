"""Create a library's tables at a URL, and open them at their newest version."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import lance

from rag.cluster.lance import schemas
from rag.cluster.lance.storage import options, shared_session, translate_errors
from rag.cluster.lance.table import Table
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

    def __init__(self, url: str, dimension: int) -> None:
        self.url = url
        self._schemas = MappingProxyType(
            {
                "passages": schemas.passages(dimension),
                "documents": schemas.documents(),
                "files": schemas.files(),
                "terms": schemas.terms(),
                "notes": schemas.notes(),
            }
        )
        self._kept = shared_session()
        self._opened: dict[str, lance.LanceDataset] = {}
        self._pinned: dict[str, Table] = {}

    @property
    def passages(self) -> Table:
        """Passages, the units of retrieval."""
        return self._newest("passages")

    @property
    def documents(self) -> Table:
        """Documents."""
        return self._newest("documents")

    @property
    def files(self) -> Table:
        """Files read."""
        return self._newest("files")

    @property
    def terms(self) -> Table:
        """Term statistics."""
        return self._newest("terms")

    @property
    def notes(self) -> Table:
        """Notes."""
        return self._newest("notes")

    def exist(self) -> bool:
        """Whether there is a library: the notes table is created last."""
        try:
            self._newest("notes")
        except LibraryNotFound:
            return False
        return True

    def create(self) -> None:
        """Create missing tables, with the indexes needed from the start."""
        for name, schema in self._schemas.items():
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
        pinned = Tables(self.url, 0)
        pinned._schemas = self._schemas
        pinned._pinned = {name: self._newest(name) for name in self._schemas}
        return pinned

    def clear(self) -> None:
        """Delete all rows."""
        for name in self._schemas:
            self._newest(name).delete("true")

    def _newest(self, name: str) -> Table:
        if name in self._pinned:
            return self._pinned[name]
        with translate_errors(self.url):
            found = self._opened.get(name)
            if found is None:
                found = lance.dataset(
                    self._place(name), storage_options=options(), session=self._kept
                )
            else:
                found = found.checkout_version(found.latest_version)
            self._opened[name] = found
            return Table(found, self._schemas[name], self.url)

    def _place(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{name}.lance"
