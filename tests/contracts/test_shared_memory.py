"""What a process keeps of shared libraries has a bound, and the answers don't depend on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from engines import place
from hashing_embedder import HashingEmbedder

from rag import Hit, InputError, Library
from rag.cluster.lance import storage

KB = 1000
SUBJECTS = ("harbour", "orchard", "glacier", "violin", "comet", "tram")


def asked(url: str | Path) -> tuple[list[Hit], int]:
    """What is found for some questions, and how many bytes are kept then."""
    with Library.open(url, embedder=HashingEmbedder()) as library:
        hits = [hit for subject in SUBJECTS for hit in library.search(f"Which {subject}?", k=3)]
    return hits, storage.shared_session().size_bytes()


def test_little_is_kept_where_little_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within a bound the least recently used goes; with none at all it is read again each time."""
    articles, url = tmp_path / "articles", place("shared", tmp_path)
    articles.mkdir()
    for number in range(60):
        words = " ".join(f"word{number * 40 + one}" for one in range(40))
        subject = SUBJECTS[number % len(SUBJECTS)]
        (articles / f"{number}.txt").write_text(f"The {subject} of {number} {words}.")
    with Library.open(url, embedder=HashingEmbedder()) as library:
        library.index(articles)
    monkeypatch.setenv(storage.MEMORY_VARIABLE, "2.5GB")  # nothing of other tests
    usual, kept = asked(url)
    assert len(usual) == 3 * len(SUBJECTS)
    for limit, most in (("40kB", 41 * KB), ("0", KB)):  # the caches themselves take 152 bytes
        monkeypatch.setenv(storage.MEMORY_VARIABLE, limit)
        found, now = asked(url)
        assert found == usual
        assert now <= most < kept


def test_a_bound_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what may stand there."""
    monkeypatch.setenv(storage.MEMORY_VARIABLE, "a lot")
    with pytest.raises(InputError, match="RAG_SHARED_CACHE_LIMIT must be a number of bytes"):
        Library.open(place("shared", tmp_path), embedder=HashingEmbedder())
