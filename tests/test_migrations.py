"""Libraries of earlier versions are brought up to this one when they are opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from older_formats import tables, take_back

from rag import Library
from rag.store.database import FORMAT


@pytest.mark.parametrize("format_", range(1, FORMAT))
def test_earlier_formats(tmp_path: Path, articles: Path, format_: int) -> None:
    """The tables are those made now, the answers as before, and a repair signs the rows."""
    path = tmp_path / "library"
    with Library.open(path, embedder=HashingEmbedder()) as library:
        library.index(articles)
        library.remove([articles / "bread.txt"])
        before, status = library.search("turret from Ghent"), library.status()
    made = tables(path)
    take_back(path, format_)
    assert tables(path) != made
    with Library.open(path, embedder=HashingEmbedder()) as library:
        assert library.search("turret from Ghent") == before
        assert library.status().sentences == status.sentences
        found = library.verify()
        assert (found.problems, found.unsigned) == ((), 4 if format_ < 5 else 0)
        assert library.verify(repair=True).sound
        assert library.verify().unsigned == 0
    assert tables(path) == made
