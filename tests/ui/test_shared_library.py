"""Servers over a shared library: several over the same tables, none of which keeps anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from engines import place
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from served import api
from test_server import built

from rag import Library

SECONDS_UNTIL_SEEN = 1.0


@pytest.fixture
def url(tmp_path: Path, articles: Path) -> str:
    """Where a shared library of the three articles is."""
    found = str(place("shared", tmp_path))
    with Library.open(found, embedder=HashingEmbedder()) as library:
        library.index(articles)
    return found


@pytest.fixture
def replicas(url: str) -> Iterator[list[TestClient]]:
    """Two servers, each with the library opened for itself."""
    with ExitStack() as held:
        libraries = [
            held.enter_context(Library.open(url, embedder=HashingEmbedder())) for _ in range(2)
        ]
        yield [api(one) for one in libraries]


def found(client: TestClient, question: str) -> list[str]:
    """The texts that a server answers with."""
    answer = client.get("/ask", params={"q": question})
    assert answer.status_code == 200, answer.text
    return [hit["text"] for hit in answer.json()["hits"]]


def test_a_new_version_is_seen_within_a_second(
    url: str, articles: Path, replicas: list[TestClient]
) -> None:
    """By each of them, and what went is gone; until then they answer as they did."""
    before = [found(one, "What does the turret weigh?") for one in replicas]
    assert before[0] == before[1]
    (articles / "quokkas.txt").write_text("Quokkas smile at Rottnest.")
    (articles / "tanks.txt").unlink()
    with Library.open(url, embedder=HashingEmbedder()) as writer:
        writer.index(articles)
    time.sleep(SECONDS_UNTIL_SEEN)
    for one in replicas:
        assert found(one, "Where do quokkas smile?")[0] == "Quokkas smile at Rottnest."
        assert all("turret" not in text for text in found(one, "What does the turret weigh?"))
        assert one.get("/documents").json()["total"] == 3


def test_what_is_rated_with_one_is_known_to_all(url: str) -> None:
    """Ratings lie with the library."""
    with (
        Library.open(url, embedder=HashingEmbedder()) as one,
        Library.open(url, embedder=HashingEmbedder()) as other,
    ):
        hit = one.search("turret")[0]
        one.rate("turret", hit, good=True)
        (rating,) = other.ratings("turret")
        assert (rating.passage_id, rating.good) == (hit.passage_id, True)
        other.rate("turret", hit, good=None)
        assert one.ratings() == []


def test_files_are_not_sent(replicas: list[TestClient], articles: Path) -> None:
    """There is no folder to keep them in; those of the server's machine can be indexed."""
    answer = replicas[0].put("/files/new.txt", content=b"Something new.")
    assert answer.status_code == 422
    assert "index them where they lie" in answer.json()["detail"]
    (articles / "new.txt").write_text("Something new.")
    answer = replicas[0].post("/jobs", json={"paths": [str(articles / "new.txt")]})
    assert answer.status_code == 202


def test_the_page(url: str) -> None:
    """All of it: search, documents, insight, an article."""
    with (
        Library.open(url, embedder=HashingEmbedder()) as library,
        built(library) as client,
    ):
        document = library.documents()[0].id
        for path in ("/", "/library", "/insight", "/health", f"/documents/{document}"):
            assert client.get(path).status_code == 200, path
