"""The REST API gives what the library gives: questions, documents, jobs, signs of life."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from served import SECONDS, Pausing, api, over
from three_articles import BREAD

from rag import Library
from ui.jobs import Jobs
from ui.ops.warm_up import WarmUp

QUESTION = "Where does the turret of the tank come from?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files in a folder whose name nobody has to know, and a copy of one."""
    secret = tmp_path_factory.mktemp("secret")
    (secret / "tanks.txt").write_text(
        "The turret of the tank comes from Ghent. It weighs three tons."
    )
    chapters = (f"## Chapter {n}\n\n{BREAD} Loaf number {n} is done." for n in range(3))
    (secret / "bread.md").write_text("# Bread\n\n" + "\n\n".join(chapters))
    (secret / "whales.md").write_text(
        "---\ntitle: Whales\nauthor: Ada\ndate: 2024-03-05\n---\n\nWhales sing at twenty hertz."
    )
    (secret / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (secret / "copies").mkdir()
    (secret / "copies" / "again.txt").write_bytes((secret / "tanks.txt").read_bytes())
    for name in ("tanks.txt", "copies/again.txt"):
        os.utime(secret / name, (0, 0))  # 1970-01-01
    return secret


@pytest.fixture(scope="module")
def library(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Them, indexed; not to be changed."""
    path = tmp_path_factory.mktemp("library")
    with Library.open(path, embedder=HashingEmbedder()) as opened:
        opened.index(folder)
        opened.index(folder / "copies")
        yield opened


@pytest.fixture(scope="module")
def client(library: Library) -> TestClient:
    """The API over them."""
    return api(library)


def test_search_gives_the_hits_of_the_library(client: TestClient, library: Library) -> None:
    """The same passages, scores and reasons; of a source only its name."""
    (hit, *_) = found = client.get("/search", params={"q": QUESTION, "k": 2}).json()["hits"]
    (expected, *_) = library.search(QUESTION, k=2)
    assert len(found) == 2
    assert hit["text"] == "The turret of the tank comes from Ghent. It weighs three tons."
    assert hit["answer"] == {
        "text": "The turret of the tank comes from Ghent.",
        "start": 0,
        "end": 40,
    }
    assert (hit["source"], hit["also_in"]) == ("again.txt", ["tanks.txt"])
    assert (hit["rank"], hit["score"]) == (1, expected.score)
    assert hit["why"]["matched"] == list(expected.why.matched)
    assert hit["passage_id"] == expected.passage_id
    assert hit["link"] == (f"/documents/{expected.document_id}?passage=0-62&answer=0-40#answer")


def test_ask_says_how_sure_it_is(client: TestClient, library: Library) -> None:
    """Confidence, and how the question was read."""
    question = f'{QUESTION} "Ghent"'
    found = client.get("/ask", params={"q": question}).json()
    expected = library.ask(question)
    assert found["confidence"] == expected.confidence
    assert found["answered"] is expected.answered
    assert found["measured"] is False
    assert found["reading"] == list(expected.reading) != []
    assert [hit["passage_id"] for hit in found["hits"]] == [h.passage_id for h in expected.hits]


@pytest.mark.parametrize(
    ("conditions", "sources"),
    [
        ({"since": "2024-03-05", "until": "2024-03-05"}, {"whales.md"}),
        ({"until": "2024-03-04"}, set()),  # there is only the time of a file
        ({"until": "2024-03-04", "where": "date_from=file time"}, {"again.txt"}),
        ({"source": "*.md"}, {"bread.md", "whales.md"}),
        ({"title": "whale"}, {"whales.md"}),
        ({"where": "author=Ada"}, {"whales.md"}),
        ({"where": ["author=Ada", "author_from=nobody"]}, set()),
        ({"language": "xx"}, set()),
        ({"collections": "copies"}, {"again.txt"}),
        ({"collections": "uploads"}, set()),
    ],
)
def test_filters(
    client: TestClient, folder: Path, conditions: dict[str, str], sources: set[str]
) -> None:
    """The same words filter questions and the list of documents."""
    found = client.get("/search", params={"q": "turret bread whales", "k": 50} | conditions).json()
    listed = client.get("/documents", params=conditions).json()
    assert {hit["source"] for hit in found["hits"]} == sources
    assert {one["source"] for one in listed["documents"]} == sources
    assert listed["total"] == len(sources)
    assert str(folder) not in str(found)


def test_collections_are_listed_with_counts(client: TestClient, folder: Path) -> None:
    """By name, without their folders; one that there is not is a problem that names them."""
    assert client.get("/collections").json()["collections"] == [
        {"name": "copies", "documents": 1},
        {"name": folder.name, "documents": 3},
    ]
    refused = client.get("/ask", params={"q": QUESTION, "collections": ["copies", "copy"]})
    assert (refused.status_code, refused.json()["type"]) == (422, "/api/v1/problems/impossible")
    assert "“copy”; there are “copies”, " in refused.json()["detail"]


def test_find_goes_by_pages(client: TestClient) -> None:
    """Every passage once, counted by document."""
    pages = [
        client.get("/find", params={"q": "sourdough", "limit": 2, "offset": offset}).json()
        for offset in (0, 2, 4)
    ]
    assert [page["passages"] for page in pages] == [3, 3, 3]
    assert [len(page["matches"]) for page in pages] == [2, 1, 0]
    assert {page["document_count"] for page in pages} == {1}
    (counted,) = pages[0]["documents"]
    assert (counted["source"], counted["passages"]) == ("bread.md", 3)
    matches = [match for page in pages for match in page["matches"]]
    assert [match["headings"][-1] for match in matches] == ["Chapter 0", "Chapter 1", "Chapter 2"]
    assert {quote["text"] for match in matches for quote in match["matched"]} == {"sourdough"}


def test_documents_by_pages_and_orders(client: TestClient, library: Library) -> None:
    """Each order is what sorting by hand gives; pages make up the whole."""
    listed = client.get("/documents").json()
    assert listed["total"] == 3
    assert [one["id"] for one in listed["documents"]] == [one.id for one in library.documents()]
    by_passages = client.get("/documents", params={"sort": "passages"}).json()["documents"]
    assert [one["passages"] for one in by_passages] == [3, 1, 1]
    by_title = client.get("/documents", params={"sort": "title"}).json()["documents"]
    titles = [one["title"] for one in by_title]
    assert titles == sorted(titles, key=str.casefold)
    pages = [
        client.get("/documents", params={"sort": "title", "limit": 1, "offset": n}).json()
        for n in range(4)
    ]
    assert [one["id"] for page in pages for one in page["documents"]] == [
        one["id"] for one in by_title
    ]


def test_a_document(client: TestClient, library: Library, folder: Path) -> None:
    """What is known of it, and its text, whole or in part."""
    (bread,) = client.get("/documents", params={"source": "bread.md"}).json()["documents"]
    text = library.document(bread["id"]).text
    found = client.get(f"/documents/{bread['id']}").json()
    assert found["sources"] == ["bread.md"]
    assert (found["characters"], found["pages"]) == (len(text), 0)
    assert [(one["text"], one["level"]) for one in found["headings"]] == [
        ("Bread", 1),
        ("Chapter 0", 2),
        ("Chapter 1", 2),
        ("Chapter 2", 2),
    ]
    assert all(text[one["start"] :].startswith(one["text"]) for one in found["headings"])
    whole = client.get(f"/documents/{bread['id']}/text")
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.text == text
    part = client.get(f"/documents/{bread['id']}/text", params={"start": 2, "end": 5})
    assert part.text == text[2:5]
    assert str(folder) not in str(found)

    (whales,) = client.get("/documents", params={"source": "whales.md"}).json()["documents"]
    found = client.get(f"/documents/{whales['id']}").json()
    assert (found["title"], found["date"]) == ("Whales", "2024-03-05")
    assert found["metadata"]["author"] == "Ada"
    (tanks,) = client.get("/documents", params={"source": "tanks.txt"}).json()["documents"]
    found = client.get(f"/documents/{tanks['id']}").json()
    assert found["sources"] == ["again.txt", "tanks.txt"]


def test_a_passage_and_its_neighbours(client: TestClient) -> None:
    """In the order of the document, none beyond its ends, and only when asked for."""
    found = client.get("/find", params={"q": "sourdough"}).json()["matches"]
    ids = [match["passage_id"] for match in found]
    seen = [client.get(f"/passages/{one}", params={"neighbours": True}).json() for one in ids]
    assert [one["passage"]["id"] for one in seen] == ids
    assert [one["before"] and one["before"]["id"] for one in seen] == [None, *ids[:-1]]
    assert [one["after"] and one["after"]["id"] for one in seen] == [*ids[1:], None]
    assert {(one["title"], one["source"]) for one in seen} == {("Bread", "bread.md")}
    alone = client.get(f"/passages/{ids[1]}").json()
    assert alone["passage"] == seen[1]["passage"]
    assert (alone["before"], alone["after"]) == (None, None)


def test_the_report(client: TestClient, folder: Path) -> None:
    """What came of each file, without where it lies."""
    whole = client.get("/report").json()
    assert whole["total"] == 5
    assert {one["source"]: one["status"] for one in whole["files"]} == {
        "tanks.txt": "indexed",
        "again.txt": "indexed",
        "bread.md": "indexed",
        "whales.md": "indexed",
        "broken.pdf": "failed",
    }
    failed = client.get("/report", params={"status": "failed"}).json()
    (broken,) = failed["files"]
    assert failed["total"] == 1
    assert broken["documents"] == 0
    assert [one["source"] for one in broken["failures"]] == ["broken.pdf"]
    assert str(folder) not in str(whole)
    second = client.get("/report", params={"offset": 1, "limit": 1}).json()
    assert second["files"] == whole["files"][1:2]


def test_an_index_job(tmp_path: Path, articles: Path) -> None:
    """Started, watched, done; then a document is taken out and not found any more."""
    pausing = Pausing(HashingEmbedder(), 1)
    with Library.open(tmp_path / "library", embedder=pausing) as library:
        assert library.search("x") == []  # as a server does while the model loads
        jobs = Jobs(library)
        client = api(library, jobs=jobs)
        body = {"paths": [str(articles)], "exclude": ["deep/"], "collection": "things to read"}
        started = client.post("/jobs", json=body)
        job = started.json()
        assert started.status_code == 202
        assert started.headers["location"] == f"/api/v1/jobs/{job['id']}"
        assert (job["state"], job["names"], job["report"]) == ("queued", ["articles"], None)
        assert pausing.reached.wait(SECONDS)
        running = client.get(f"/jobs/{job['id']}").json()
        assert (running["state"], running["phase"]) == ("running", "reading")
        assert running["progress"]["files"] == 2
        assert running["progress"]["passages"] == 2
        assert "/" not in running["progress"]["source"]
        assert client.get("/search", params={"q": "bread"}).status_code == 200
        until = time.monotonic() + SECONDS  # the first document is committed meanwhile
        while not (held := client.get("/documents").json()["documents"]):
            assert time.monotonic() < until
        refused = client.delete(f"/documents/{held[0]['id']}")
        assert (refused.status_code, refused.json()["title"]) == (409, "Index jobs are pending")

        pausing.go.set()
        (made,) = jobs.all()
        over(jobs, made)
        (done,) = client.get("/jobs").json()["jobs"]
        assert (done["state"], done["phase"], done["cancelling"]) == ("done", None, False)
        assert (done["report"]["added"], done["report"]["embedded"]) == (2, 2)
        assert done["report"]["failures"] == []
        assert dt.datetime.fromisoformat(done["ended"]).tzinfo is not None
        (collection,) = client.get("/collections").json()["collections"]
        assert collection == {"name": "things to read", "documents": 2}

        (bread,) = client.get("/documents", params={"source": "bread.txt"}).json()["documents"]
        removed = client.delete(f"/documents/{bread['id']}")
        assert (removed.status_code, removed.json()) == (200, {"sources": ["bread.txt"]})
        assert client.get(f"/documents/{bread['id']}").status_code == 404
        assert client.get("/find", params={"q": "sourdough"}).json()["passages"] == 0
        assert (articles / "bread.txt").exists()
        jobs.close()


def test_a_failed_start_is_tried_again(tmp_path: Path) -> None:
    """Whoever asks whether the server is ready learns why not, and has it tried again."""

    class Waking(HashingEmbedder):
        asleep = True

        def query(self, question: str) -> object:  # type: ignore[override]
            if self.asleep:
                raise ZeroDivisionError("secret detail")
            return super().query(question)

    embedder = Waking()
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        warming = WarmUp(library)
        client = api(library, warming=warming)
        warming.start()
        warming.join()
        embedder.asleep = False
        failed = client.get("/ready")
        assert failed.status_code == 503
        assert (
            failed.json()["detail"] == "Something went wrong; the terminal that runs rag says more."
        )
        warming.join()
        assert client.get("/ready").status_code == 200
