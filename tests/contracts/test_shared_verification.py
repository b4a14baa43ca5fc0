"""``verify`` over a shared library: what is not as it was written is found, and made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engines import place
from hashing_embedder import HashingEmbedder

from rag import Library, LibraryDamaged
from rag.cluster.lance import verification
from rag.cluster.lance.rows import SIGNED
from rag.cluster.lance.tables import Tables

QUESTION = "What does the turret weigh?"


@pytest.fixture
def hashed(tmp_path: Path, articles: Path) -> Iterator[Library]:
    """A shared library of the three articles, without the model."""
    with Library.open(place("shared", tmp_path), embedder=HashingEmbedder()) as library:
        library.index(articles)
        yield library


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody writes meanwhile."""
    monkeypatch.setattr(verification, "PAUSE", 0.0)


def tables(library: Library) -> Tables:
    """What lies under a library."""
    return library.engine._tables


def altered(library: Library, **columns: object) -> None:
    """Change some columns of the first passage behind the library's back."""
    passages = tables(library).passages
    row = min(passages.rows(("id", "document")), key=lambda one: one["id"])
    passages.amend([row | columns], "id")


def first(library: Library) -> dict[str, Any]:
    """The first passage, as it is kept."""
    return dict(min(tables(library).passages.rows(SIGNED), key=lambda one: one["id"]))


def no_term(library: Library) -> None:
    """Forget a word that was counted."""
    tables(library).terms.delete("term = 's:turret'")


def no_index(library: Library) -> None:
    """Lose the index of documents."""
    tables(library).passages.dataset.drop_index("document_idx")


def no_document(library: Library) -> None:
    """Lose a document, not its passages."""
    tables(library).documents.delete(f"id = '{first(library)['document']}'")


def no_passage(library: Library) -> None:
    """Lose a passage."""
    tables(library).passages.delete(f"id = '{first(library)['id']}'")


def other_bits(library: Library) -> None:
    """Change what the model made."""
    altered(library, bits=bytes(len(first(library)["bits"])))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (other_bits, "a passage of it doesn't match its checksum"),
        (
            lambda library: altered(library, start=first(library)["start"] + 1),
            "a passage of it differs from the document's text there",
        ),
        (
            lambda library: altered(library, text="x" + first(library)["text"][1:]),
            "a passage of it differs from the document's text there",
        ),
        (
            lambda library: altered(library, counts=b"\1\0\0\0"),
            "a passage of it has more or fewer tokens than recorded",
        ),
        (lambda library: altered(library, stems=" x "), "its index terms don't match"),
        (lambda library: altered(library, language="de"), "its index terms don't match"),
        (no_passage, "it has 0 passages and not 1"),
        (no_term, "1 term counts are wrong"),
        (no_index, "3 passages are not in the index document_idx"),
    ],
)
def test_what_is_derived_is_made_again(
    hashed: Library, harm: Callable[[Library], None], told: str
) -> None:
    """It is found, and after a repair all is as before."""
    before = hashed.search(QUESTION)
    assert hashed.verify().problems == ()
    harm(hashed)
    found = hashed.verify()
    assert any(told in one.what for one in found.problems), found.problems
    assert not found.sound
    assert hashed.verify(repair=True).sound
    assert hashed.verify().problems == ()
    assert hashed.search(QUESTION) == before


def test_passages_of_no_document_go(hashed: Library) -> None:
    """Nothing says what they were of."""
    no_document(hashed)
    (problem,) = hashed.verify().problems
    assert problem.what == "1 passages belong to no document"
    assert hashed.verify(repair=True).sound
    found = hashed.verify()
    assert (found.problems, found.documents, found.passages) == ((), 2, 2)


def test_text_that_is_lost(hashed: Library, articles: Path) -> None:
    """Nothing of it is shown; its file is named, and indexing it mends the library."""
    documents = tables(hashed).documents
    (row,) = documents.rows(("id", "text"), "contains(text, 'turret')")
    documents.amend([row | {"text": row["text"].replace("turret", "garret")}], "id")
    (problem,) = hashed.verify(repair=True).problems
    tanks = articles / "tanks.txt"
    assert (problem.document, problem.source) == (row["id"], str(tanks))
    assert problem.remedy == f"index its file again: rag index {tanks}"
    assert not problem.repaired
    with pytest.raises(LibraryDamaged, match="rag verify lists the affected documents"):
        hashed.document(row["id"])
    assert hashed.index(tanks).failed == ()
    assert hashed.verify().problems == ()
    assert "turret" in hashed.document(row["id"]).text


def test_writers_go_on_meanwhile(
    hashed: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one has begun is no fault, once it is through with it; nor what it has not brought into
    the indexes yet.
    """
    more = articles / "more.txt"
    more.write_text("Quokkas live in Perth. They smile.")
    with Library.open(hashed.engine.location, embedder=HashingEmbedder()) as other:
        with other.engine.writing():
            row = first(hashed)
            hidden = tables(hashed).passages.rows(
                tables(hashed).passages._schema.names, f"id = '{row['id']}'"
            )
            no_passage(hashed)

            def comes(_: float) -> None:
                tables(hashed).passages.upsert(hidden, "id")

            monkeypatch.setattr(verification.time, "sleep", comes)
            assert hashed.verify().problems == ()
        other.index(more)
    found = hashed.verify()
    assert (found.problems, found.documents) == ((), 4)
