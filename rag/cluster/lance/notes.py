"""What a shared library remembers of itself."""

from __future__ import annotations

from collections.abc import Iterable

from rag.cluster.lance.filter_sql import in_groups, one_of, quoted
from rag.cluster.lance.tables import Tables


class SharedNotes:
    """As :class:`rag.index.engine.Notes` says."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, name: str) -> str | None:
        """What is kept under a name, or None."""
        found = self._tables.notes.rows(("value",), f"name = {quoted(name)}")
        return str(found[0]["value"]) if found else None

    def keep(self, name: str, value: str | None) -> None:
        """Keep a value under a name, or with None nothing."""
        notes = self._tables.notes
        if value is None:
            notes.delete(f"name = {quoted(name)}")
        else:
            notes.upsert([{"name": name, "value": value}], "name")

    def all(self, beginning: str) -> dict[str, str]:
        """Everything that is kept under names that begin like that."""
        found = self._tables.notes.rows(
            ("name", "value"), f"starts_with(name, {quoted(beginning)})"
        )
        return {row["name"]: row["value"] for row in found}

    def forget(self, names: Iterable[str]) -> None:
        """Keep nothing under these names."""
        for some in in_groups(names):
            self._tables.notes.delete(one_of("name", some))
