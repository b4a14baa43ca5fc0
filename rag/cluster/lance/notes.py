"""Key-value notes of a shared library."""

from __future__ import annotations

from collections.abc import Iterable

from rag.cluster.lance.filter_sql import in_batches, one_of, quote
from rag.cluster.lance.tables import Tables


class SharedNotes:
    """Implements :class:`rag.index.engine.Notes`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, name: str) -> str | None:
        """Value of a note; None if there is none."""
        found = self._tables.notes.rows(("value",), f"name = {quote(name)}")
        return str(found[0]["value"]) if found else None

    def keep(self, name: str, value: str | None) -> None:
        """Set a note, or delete it with None."""
        notes = self._tables.notes
        if value is None:
            notes.delete(f"name = {quote(name)}")
        else:
            notes.upsert([{"name": name, "value": value}], "name")

    def all(self, beginning: str) -> dict[str, str]:
        """All notes whose names begin with ``beginning``."""
        found = self._tables.notes.rows(("name", "value"), f"starts_with(name, {quote(beginning)})")
        return {row["name"]: row["value"] for row in found}

    def forget(self, names: Iterable[str]) -> None:
        """Delete these notes."""
        for some in in_batches(names):
            self._tables.notes.delete(one_of("name", some))
