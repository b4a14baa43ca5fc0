"""What a shared library remembers of itself, and what it can't remember."""

from __future__ import annotations

from rag.errors import InputError
from rag.shared.conditions import quoted
from rag.shared.lance_tables import Tables
from rag.types import Rating


class SharedNotes:
    """As :class:`rag.engine.Notes` says."""

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


class NoRatings:
    """What readers say of hits is not kept."""

    def __init__(self, url: str) -> None:
        self._url = url

    def put(self, rating: Rating) -> None:
        """Refused."""
        raise self._refused(rating)

    def remove(self, rating: Rating) -> None:
        """Refused."""
        raise self._refused(rating)

    def all(self) -> list[Rating]:
        """None."""
        return []

    def _refused(self, rating: Rating) -> InputError:
        return InputError(
            f"{self._url} is a shared library, which keeps no ratings: rate “{rating.question}” in"
            " a library in a folder, and tune by that"
        )
