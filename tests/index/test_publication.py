"""What is derived from the store follows it: in layers, rewritten, compressed when large."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import Library
from rag.index.vectors import faiss_index, segment
from rag.index.vectors.faiss_index import MOST_PROBED


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """Forty articles of thirty sentences each, each with words of its own."""
    articles = tmp_path / "articles"
    articles.mkdir()
    for number in range(40):
        text = " ".join(f"Name{number}x{line} lives in town{line}." for line in range(30))
        (articles / f"{number}.txt").write_text(text)
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        opened.index(articles)
        yield opened


def add(library: Library, name: str, text: str) -> None:
    """One more article."""
    path = library.path.parent / "articles" / name
    path.write_text(text)
    library.index(path)


def published(library: Library) -> dict:
    """What is on disk."""
    return json.loads((library.path / "published.json").read_text())


def first(library: Library, question: str) -> str:
    """The sentence that answers best."""
    return library.search(question, 1)[0].answer.text


def test_what_came_and_went_lies_beside_the_main_segment(library: Library) -> None:
    """One more document writes no new vectors of the others, and is found; one less is not."""
    before = published(library)
    add(library, "more.txt", "Quokka lives in Perth. It smiles.")
    library.remove([library.path.parent / "articles" / "7.txt"])
    after = published(library)
    assert after["segment"] == before["segment"]
    assert after["generation"] > before["generation"]
    assert first(library, "quokka") == "Quokka lives in Perth."
    assert not [hit for hit in library.search("name7x3 town3", 20) if hit.source.endswith("/7.txt")]
    with Library.open(library.path, embedder=HashingEmbedder()) as again:
        assert first(again, "quokka") == "Quokka lives in Perth."


def test_much_that_came_is_written_into_the_main_segment(library: Library) -> None:
    """Then nothing lies beside it, and answers stay what they were."""
    answer = first(library, "name3x5 town5")
    before = published(library)["segment"]
    sentences = library.status().sentences
    add(library, "many.txt", " ".join(f"Other{n} sails to harbour{n}." for n in range(600)))
    after = published(library)
    assert after["segment"]["generation"] == after["generation"]
    assert after["segment"]["sentences"] == library.status().sentences == sentences + 600
    assert [path.name for path in library.path.glob("vectors-*")] == [after["segment"]["file"]]
    assert after["segment"]["file"] != before["file"]
    assert first(library, "name3x5 town5") == answer
    assert first(library, "other577 harbour577") == "Other577 sails to harbour577."


def test_rewritten_while_it_is_opened(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that rewrites it takes the file away that a reader has just looked at, which opens
    the new one.
    """
    before, digest, met = published(library)["segment"]["file"], faiss_index.digest, []

    def slow(path: Path) -> str:
        found = digest(path)
        if not met:
            met.append(path)
            add(library, "much.txt", " ".join(f"Quokka{n} lives in Perth{n}." for n in range(700)))
        return found

    monkeypatch.setattr(faiss_index, "digest", slow)
    with Library.open(library.path, embedder=HashingEmbedder()) as reader:
        assert first(reader, "quokka77 perth77") == "Quokka77 lives in Perth77."
    assert met
    assert not (library.path / before).exists()


@pytest.fixture
def small_rungs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries of a thousand sentences are large."""
    monkeypatch.setattr(segment, "EXACT", 1000)


@pytest.mark.usefixtures("small_rungs")
def test_a_large_library_is_compressed(library: Library) -> None:
    """It answers as one that compares all; what it misses is measured and told."""
    found = published(library)["segment"]
    assert found["trained"] == found["sentences"] == 1200
    assert library.status().recall == found["recall"] > 0.9
    with Library.open(library.path, embedder=HashingEmbedder()) as again:
        index = again.engine.snapshots.current().vectors.main
        assert 1 <= index.probed == found["probed"] <= -(-index.lists // MOST_PROBED)
    answers = {n: first(library, f"name{n}x{n % 30}") for n in range(40)}
    assert answers == {n: f"Name{n}x{n % 30} lives in town{n % 30}." for n in range(40)}
    hits = library.search("town3 name4x3", 5, source="*/4.txt")
    assert {Path(hit.source).name for hit in hits} == {"4.txt"}


@pytest.mark.usefixtures("small_rungs")
def test_a_compressed_index_takes_what_came_until_it_has_doubled(library: Library) -> None:
    """It is brought up to date in the lists that it has, and trained anew when there are twice as
    many; a library that shrank is compared whole again.
    """
    add(library, "some.txt", " ".join(f"Other{n} sails to harbour{n}." for n in range(600)))
    found = published(library)["segment"]
    assert (found["trained"], found["sentences"]) == (1200, 1800)
    assert first(library, "other577 harbour577") == "Other577 sails to harbour577."
    add(library, "more.txt", " ".join(f"Third{n} rides to valley{n}." for n in range(700)))
    found = published(library)["segment"]
    assert found["trained"] == found["sentences"] == 2500
    assert first(library, "third577 valley577") == "Third577 rides to valley577."
    articles = library.path.parent / "articles"
    library.remove([articles / "some.txt", articles / "more.txt", articles / "1.txt"])
    library.remove([articles / f"{n}.txt" for n in range(10, 30)])
    found = published(library)["segment"]
    assert (found["trained"], found["sentences"]) == (0, 570)
    assert library.status().recall is None
    assert first(library, "name3x5 town5") == "Name3x5 lives in town5."


def test_what_a_killed_writer_left_is_not_in_the_way(library: Library) -> None:
    """Of the word index: tantivy would take a file that it is about to write for another's."""
    words = library.path / "words"
    segments = {path.name.split(".")[0] for path in words.glob("*.term")}
    for name in segments:
        for step in range(500):
            (words / f"{name}.{step}.del").touch()
    library.remove([library.path.parent / "articles" / "7.txt"])
    add(library, "more.txt", "Quokka lives in Perth. It smiles.")
    assert first(library, "quokka") == "Quokka lives in Perth."
    assert not [hit for hit in library.search("name7x3 town3", 20) if hit.source.endswith("/7.txt")]
