"""Documents once more: brought back after they were removed, and read again."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from served import api, over

from rag import Library
from ui.jobs import Job, Jobs

LETTERS = {
    "april.txt": "In April the heron came back to Aldmoor.",
    "may.txt": "In May the well of Aldmoor ran dry.",
}


@pytest.fixture
def articles(articles: Path) -> Path:
    """With two letters in an archive."""
    with zipfile.ZipFile(articles / "letters.zip", "w") as packed:
        for name, text in LETTERS.items():
            packed.writestr(name, text)
    return articles


@pytest.fixture
def jobs(library: Library) -> Iterator[Jobs]:
    """Its jobs."""
    made = Jobs(library)
    yield made
    made.close()


@pytest.fixture
def client(library: Library, jobs: Jobs) -> TestClient:
    """The API over it."""
    return api(library, jobs=jobs)


def named(library: Library, name: str) -> str:
    """The id of the document in the file of that name."""
    (found,) = library.documents(source=name)
    return found.id


def last(jobs: Jobs) -> Job:
    """The job that was asked for last, once it is over."""
    return over(jobs, jobs.all()[0])


@pytest.mark.parametrize("name", ["bread.txt", "may.txt"])
def test_a_removed_document_comes_back(
    client: TestClient, library: Library, jobs: Jobs, tmp_path: Path, name: str
) -> None:
    """With its id, whether it has a file of its own or lies in an archive."""
    document_id = named(library, name)
    before = library.document(document_id)
    assert client.get(f"/documents/{document_id}").json()["present"] is True
    assert client.delete(f"/documents/{document_id}").status_code == 200
    assert library.count_documents() == 4
    started = client.post(f"/documents/{document_id}/restore")
    assert started.status_code == 202
    assert started.headers["location"] == f"/api/v1/jobs/{started.json()['id']}"
    assert started.json()["names"] == ["letters.zip" if name == "may.txt" else name]
    assert str(tmp_path) not in started.text
    report = last(jobs).report
    assert report is not None
    assert report.added == 1
    assert library.document(document_id) == before
    assert library.count_documents() == 5
    # Asked for twice, it is there once.
    assert client.post(f"/documents/{document_id}/restore").status_code == 202
    assert last(jobs).state == "done"
    assert library.count_documents() == 5


def test_what_removal_says_of_coming_back_is_true(library: Library, articles: Path) -> None:
    """A file of its own is taken in by the next run over its folder, a member of an archive not."""
    library.remove([articles / "bread.txt", articles / "letters.zip" / "may.txt"])
    report = library.index(articles)
    assert report.added == (str(articles / "bread.txt"),)
    assert library.index(articles, again=True).added == (str(articles / "letters.zip" / "may.txt"),)


@pytest.mark.parametrize("step", ["restore", "reindex"])
def test_what_has_no_file_any_more(
    client: TestClient, library: Library, articles: Path, step: str
) -> None:
    """It is said before anything is begun; a removal that is unknown is another matter."""
    document_id = named(library, "bread.txt")
    assert client.post(f"/documents/{document_id}/restore").status_code == 404
    (articles / "bread.txt").unlink()
    assert client.get(f"/documents/{document_id}").json()["present"] is False
    if step == "restore":
        client.delete(f"/documents/{document_id}")
    response = client.post(f"/documents/{document_id}/{step}")
    assert (response.status_code, response.json()["type"]) == (410, "/api/v1/problems/gone")
    assert response.json()["detail"] == ("Its file no longer exists, so it can't be read again.")
    assert client.get("/jobs").json() == {"jobs": []}


def test_one_document_is_read_again(client: TestClient, library: Library, jobs: Jobs) -> None:
    """Though its file did not change; nothing else is read."""
    document_id = named(library, "bread.txt")
    with sqlite3.connect(library.path / "library.db") as connection:
        connection.execute("UPDATE document SET title = 'Wrong'")
    started = client.post(f"/documents/{document_id}/reindex")
    assert (started.status_code, started.json()["names"]) == (202, ["bread.txt"])
    done = last(jobs)
    assert done.report is not None
    assert (done.report.updated, done.report.unchanged) == (1, 0)
    assert library.document(document_id).title != "Wrong"
    assert library.count_documents(title="Wrong") == 4
    # What anybody may ask for by path, too.
    paths = [str(path) for path in library.files(named(library, "whales.md"))]
    assert client.post("/jobs", json={"paths": paths, "again": True}).status_code == 202
    last(jobs)
    assert library.count_documents(title="Wrong") == 3


def test_what_cant_be_read_now_stays(
    client: TestClient, library: Library, jobs: Jobs, articles: Path
) -> None:
    """The file was damaged since: the job says so, and the document is what it was."""
    document_id = named(library, "whales.md")
    before = library.document(document_id)
    before_passages = library.search("whales", k=1)[0].passage_id
    (articles / "deep" / "whales.md").write_bytes(b"%PDF-1.7 and no more")
    client.post(f"/documents/{document_id}/reindex")
    report = last(jobs).report
    assert report is not None
    (failure,) = report.failures
    assert failure.reason.endswith("; its earlier version stays in the library")
    assert library.document(document_id) == before
    assert library.search("whales", k=1)[0].passage_id == before_passages
