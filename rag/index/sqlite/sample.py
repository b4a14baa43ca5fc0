"""Reproducible samples of passages."""

from __future__ import annotations

from rag.index.records import StoredPassage
from rag.index.sqlite.database import Database
from rag.index.sqlite.reader import StoreReader


def sample(database: Database, count: int) -> list[StoredPassage]:
    """Up to ``count`` passages from all over the library.

    Ids are hashes, so passages with the lowest ids are as good as a random sample, yet the same
    documents always give the same passages, and adding a document changes few of them.
    """
    rows = database.connection.execute("SELECT key FROM passage ORDER BY id LIMIT ?", (count,))
    keys = [key for (key,) in rows]
    found = StoreReader(database).passages(keys)
    return [found[key] for key in keys if key in found]
