"""``verify`` finds what is not as it was written, and makes again what can be made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import Library, LibraryDamaged

QUESTION = "What does the turret weigh?"


@pytest.fixture
def hashed(tmp_path: Path, articles: Path) -> Iterator[Library]:
    """A library of the three articles, without the model."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        library.index(articles)
        yield library


def harm(library: Library, statement: str) -> None:
    """Change the store behind the library's back."""
    connection = sqlite3.connect(library.path / "library.db")
    with connection:
        connection.execute(statement.replace("FIRST", FIRST))
    connection.close()


FIRST = "(SELECT min(key) FROM passage)"
"""What stands for ``FIRST`` in a statement."""


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "UPDATE encoding SET bits = zeroblob(length(bits)) WHERE passage = FIRST",
            "a passage of it doesn't match its checksum",
        ),
        (
            "UPDATE encoding SET vectors = x'00' WHERE passage = FIRST",
            "a passage of it has vectors that can't be read",
        ),
        ("DELETE FROM encoding WHERE passage = FIRST", "a passage of it has no vectors"),
        (
            "UPDATE passage SET start = start + 1 WHERE key = FIRST",
            "a passage of it differs from the document's text there",
        ),
        (
            "UPDATE passage SET text = 'x' || substr(text, 2) WHERE key = FIRST",
            "a passage of it differs from the document's text there",
        ),
        ("UPDATE piece SET passages = passages + 1", "word-piece counts are wrong"),
        (
            "UPDATE meta SET value = 3 WHERE name = 'sentences'",
            "3 sentences are recorded where there are",
        ),
    ],
)
def test_what_is_derived_is_made_again(hashed: Library, statement: str, told: str) -> None:
    """It is found, and after a repair all is as before."""
    before = hashed.search(QUESTION)
    assert hashed.verify().problems == ()
    harm(hashed, statement)
    found = hashed.verify()
    assert any(told in one.what for one in found.problems), found.problems
    assert not found.sound
    assert hashed.verify(repair=True).sound
    assert hashed.verify().problems == ()
    assert hashed.search(QUESTION) == before


def test_writers_go_on_meanwhile(hashed: Library, articles: Path) -> None:
    """What one adds and publishes while it is looked is no fault, nor what one has begun."""
    more = articles / "more.txt"

    def write(what: str, *_: int) -> None:
        if what == "documents" and not more.exists():
            more.write_text("Quokkas live in Perth. They smile.")
            with Library.open(hashed.path, embedder=HashingEmbedder()) as other:
                other.index(more)
            (hashed.path / "vectors-999.faiss.draft").touch()

    assert hashed.verify(on_progress=write).problems == ()
    assert hashed.status().documents == 4
    (hashed.path / "vectors-old.faiss").touch()
    (problem,) = hashed.verify().problems
    assert problem.what == "vectors-old.faiss is left over"


def test_text_that_is_lost(hashed: Library, articles: Path) -> None:
    """Nothing of it is shown; its file is named, and indexing it mends the library."""
    harm(hashed, "UPDATE document SET text = replace(text, 'turret', 'garret')")
    found = hashed.verify(repair=True)
    tanks = str(articles / "tanks.txt")
    assert {one.source for one in found.problems} == {tanks}
    assert f"index its file again: rag index {tanks}" in {one.remedy for one in found.problems}
    assert not found.sound
    (document,) = {one.document for one in found.problems}
    with pytest.raises(LibraryDamaged, match="rag verify lists the affected documents"):
        hashed.document(document)
    assert hashed.index(articles / "tanks.txt").failed == ()
    assert hashed.verify().problems == ()
    assert "turret" in hashed.document(document).text


def test_a_digest_that_is_no_text(hashed: Library) -> None:
    """It is reported like any other damage."""
    harm(hashed, "UPDATE document SET digest = x'0011'")
    assert {one.document for one in hashed.verify().problems} >= {
        one.id for one in hashed.documents()
    }


def test_damaged_words_are_not_answered_with(hashed: Library) -> None:
    """A file of the word index that is another one is noticed before it answers."""
    before = hashed.search(QUESTION)
    hashed.close()
    for path in (hashed.path / "words").glob("*.idx"):
        path.write_bytes(path.read_bytes()[::-1])
    with Library.open(hashed.path, embedder=HashingEmbedder()) as opened:
        (problem,) = opened.verify().problems
        assert problem.what.endswith("of the word index doesn't match its checksum")
        assert opened.search(QUESTION) == before
        assert opened.verify().problems == ()
