"""Vectors that come out of the store are those that went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag import Library
from rag.errors import LibraryDamaged
from rag.index.records import unpack_vectors
from rag.index.sqlite.changes import ADDED_SINCE, VECTORS_SINCE, Changes
from rag.index.sqlite.database import Database
from rag.index.sqlite.reader import StoreReader
from rag.models.embedder import SentenceTransformerEmbedder


def test_half_precision_is_widened_exactly() -> None:
    """Every finite number, both zeros and those next to zero included, as NumPy has it."""
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    found = unpack_vectors(halves.tobytes(), 1).ravel()
    assert found.dtype == np.float32
    assert np.array_equal(found.view(np.uint32), halves.astype(np.float32).view(np.uint32))


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_numbers_that_are_none(wrong: float) -> None:
    """Nothing of the sort is ever written."""
    with pytest.raises(LibraryDamaged, match="not finite"):
        unpack_vectors(np.array([0.5, wrong], np.float16).tobytes(), 2)


def test_sentences_of_several_passages(
    library: Library, articles: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """One passage after the other, by key, as each has them alone; a key that is gone is no more
    than that, and a vector that lacks its end is damage.
    """
    library.index(articles)
    database = Database(library.path / "library.db", embedder.dimension)
    store = StoreReader(database)
    rows = database.connection.execute("SELECT passage, vectors FROM encoding").fetchall()
    stored = {key: np.frombuffer(blob, np.float16).reshape(-1, 384) for key, blob in rows}
    keys, counts, vectors = store.sentences([*stored, 999])
    assert keys.tolist() == list(stored)
    assert counts.tolist() == [len(one) for one in stored.values()]
    assert np.array_equal(vectors, np.concatenate([*stored.values()]).astype(np.float32))
    assert store.sentences([999])[2].shape == (0, embedder.dimension)
    with database.transaction() as (connection, _):
        connection.execute("UPDATE encoding SET vectors = substr(vectors, 1, length(vectors) - 2)")
    with pytest.raises(LibraryDamaged, match="cut"):
        store.sentences([*stored])
    database.close()


@pytest.mark.parametrize("statement", [VECTORS_SINCE, ADDED_SINCE])
def test_what_came_last_is_looked_up(
    library: Library, articles: Path, embedder: SentenceTransformerEmbedder, statement: str
) -> None:
    """SQLite walks through no table, and sorts nothing, to find it; keys rise nevertheless."""
    library.index(articles)
    database = Database(library.path / "library.db", embedder.dimension)
    plan = database.connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1,)).fetchall()
    assert len(plan) == 2
    assert all(step.startswith("SEARCH ") for *_, step in plan), plan
    changes = Changes(database)
    all_keys = changes.keys().tolist()
    assert [key for key, _ in changes.vectors_since(0)] == all_keys
    assert [one.key for one in changes.added_since(0)] == all_keys
    database.close()
