"""Key-value notes of a shared library, and the ratings that are stored as notes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from rag.cluster.lance.filter_sql import in_batches, one_of, quote
from rag.cluster.lance.tables import Tables
from rag.types import Quote, Rating

_RATING = "rating:"


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
        if value is None:
            self.forget([name])
        else:
            self._tables.notes.upsert([{"name": name, "value": value}], "name")

    def all(self, beginning: str) -> dict[str, str]:
        """All notes whose names begin with ``beginning``."""
        found = self._tables.notes.rows(("name", "value"), f"starts_with(name, {quote(beginning)})")
        return {row["name"]: row["value"] for row in found}

    def forget(self, names: Iterable[str]) -> None:
        """Delete these notes."""
        for some in in_batches(names):
            self._tables.notes.delete(one_of("name", some))


class SharedRatings:
    """Implements :class:`rag.index.engine.Ratings`. Any server of the library may add ratings."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._notes = SharedNotes(tables)

    def put(self, rating: Rating) -> None:
        """Store a rating, replacing any earlier one of this passage for this query."""
        key = f"{rating.passage_id} {rating.question}".encode("utf-8", "surrogatepass")
        name = _RATING + hashlib.sha256(key).hexdigest()
        self._notes.keep(name, json.dumps(asdict(rating), default=dt.datetime.isoformat))
        self._notes.forget(one for one in self._same(rating) if one != name)

    def remove(self, rating: Rating) -> None:
        """Delete the rating of this passage for this query, if any."""
        self._notes.forget(self._same(rating))

    def __len__(self) -> int:
        return len(self._stored())

    def all(self, question: str | None = None) -> list[Rating]:
        """All ratings, or those for one question, earliest first."""
        found = (one for one in self._stored().values() if question in {None, one.question})
        return sorted(found, key=lambda one: (one.time, one.question, one.passage_id))

    def _stored(self) -> dict[str, Rating]:
        return {name: _rating(value) for name, value in self._notes.all(_RATING).items()}

    def _same(self, rating: Rating) -> list[str]:
        """Names of earlier ratings of the same passage. A passage gets a new id when its document
        is read again; ratings of its old id still count if that passage no longer exists.
        """
        alike = {
            name: one
            for name, one in self._stored().items()
            if one.question == rating.question
            and (
                one.passage_id == rating.passage_id
                or (
                    one.answer.text == rating.answer.text
                    and (one.document_id == rating.document_id or one.source == rating.source)
                )
            )
        }
        others = {one.passage_id for one in alike.values()} - {rating.passage_id}
        there = {
            row["id"]
            for some in in_batches(others)
            for row in self._tables.passages.rows(("id",), one_of("id", some))
        }
        return [name for name, one in alike.items() if one.passage_id not in there]


def _rating(value: str) -> Rating:
    found = json.loads(value)
    when = dt.datetime.fromisoformat(found["time"])
    return Rating(**found | {"answer": Quote(**found["answer"]), "time": when})
