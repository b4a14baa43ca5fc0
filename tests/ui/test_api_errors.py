"""Every error of the API is a problem as RFC 9457 has it, and names no path of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from served import Broken, api

from rag import (
    Library,
    LibraryBusy,
    LibraryDamaged,
    LibraryNotFound,
    ModelError,
    RagError,
)
from ui.ops import public_errors

JSON = {"content-type": "application/json"}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty one."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.fixture
def client(library: Library) -> TestClient:
    """The API over it."""
    return api(library)


@pytest.mark.parametrize(
    ("method", "path", "status", "kind", "detail"),
    [
        ("GET", "/nowhere", 404, "not-found", "Nothing answers here; see /api/v1/openapi.json."),
        ("GET", "/documents/x", 404, "not-found", "There is no document x in this library."),
        ("GET", "/documents/x/text", 404, "not-found", "There is no document x in this library."),
        ("DELETE", "/documents/x", 404, "not-found", "There is no document x in this library."),
        (
            *("POST", "/documents/x/reindex", 404, "not-found"),
            "There is no document x in this library.",
        ),
        (
            *("POST", "/documents/x/restore", 404, "not-found"),
            "No such document was removed here, or it was too long ago.",
        ),
        ("GET", "/passages/x", 404, "not-found", "There is no passage x in this library."),
        ("GET", "/jobs/x", 404, "not-found", "There is no such job, or it was too long ago."),
        ("DELETE", "/jobs/x", 404, "not-found", "There is no such job, or it was too long ago."),
        (
            *("GET", "/search?q=%3F", 422, "empty-question"),
            "The question is empty: ask in plain words, like “Who wrote it?”",
        ),
        (
            *("GET", "/find?q=the", 422, "empty-question"),
            (
                "There is no word to look for, or only words like “the” and “is”; put those in "
                'quotes: "to be or not to be"'
            ),
        ),
    ],
)
def test_what_is_not_there(
    client: TestClient, *, method: str, path: str, status: int, kind: str, detail: str
) -> None:
    """Each with its kind, and in words what to do."""
    response = client.request(method, path)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    title = problem.pop("title")
    assert problem == {
        "type": f"/api/v1/problems/{kind}",
        "status": status,
        "detail": detail,
        "instance": f"/api/v1{path.partition('?')[0]}",
    }
    assert response.status_code == status
    explained = client.get(f"/problems/{kind}").json()
    assert explained == {"type": problem["type"], "title": title, "status": status}


@pytest.mark.parametrize(
    ("query", "where", "detail"),
    [
        ("", "query.q", "Field required."),
        ("q=", "query.q", "String should have at least 1 character."),
        ("q=x&k=0", "query.k", "Input should be greater than or equal to 1."),
        ("q=x&since=2024-1-1", "query.since", "A date is written like 2024-12-31."),
        ("q=x&since=0", "query.since", "A date is written like 2024-12-31."),
        ("q=x&where=Ada", "query.where.0", "A condition is written NAME=VALUE, like author=Ada."),
        ("q=x&sicne=2024-01-01", "query.sicne", "Extra inputs are not permitted."),
    ],
)
def test_what_is_wrong_with_a_question(
    client: TestClient, query: str, where: str, detail: str
) -> None:
    """The part that is wrong is named; what was sent is not sent back."""
    response = client.get(f"/ask?{query}")
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, problem["status"]) == (422, 422)
    assert problem["type"] == "/api/v1/problems/invalid-request"
    assert problem["errors"] == [{"where": where, "detail": detail}]
    assert problem["detail"] == f"Look at {where}: {detail}"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"paths":', "body.9"),
        (b"{}", "body"),
        (b'{"paths": []}', "body.paths"),
        (b'{"files": []}', "body.files"),
        (b'{"files": [""]}', "body.files.0"),
        (b'{"paths": ["articles"]}', "body.paths.0"),
        (b'{"paths": ["/a\\u0000b"]}', "body.paths.0"),
        (b'{"paths": ["/a"], "retry": "yes"}', "body.retry"),
        (b'{"paths": ["/a"], "library": "/b"}', "body.library"),
        (rb'{"paths": ["~\ud800/a"]}', "body.paths.0"),
    ],
)
def test_what_is_wrong_with_a_job(client: TestClient, body: bytes, where: str) -> None:
    """Nothing is begun."""
    response = client.post("/jobs", content=body, headers=JSON)
    assert response.status_code == 422
    assert [one["where"] for one in response.json()["errors"]] == [where]
    assert client.get("/jobs").json() == {"jobs": []}


@pytest.mark.parametrize("name", ["nowhere", "no\\ud800where"])
def test_a_folder_that_is_not_there(client: TestClient, tmp_path: Path, name: str) -> None:
    """The path isn't repeated, even if it could not be."""
    response = client.post("/jobs", content=f'{{"paths": ["{tmp_path}/{name}"]}}', headers=JSON)
    assert response.status_code == 422
    assert response.json()["type"] == "/api/v1/problems/impossible"
    assert str(tmp_path) not in response.text


@pytest.mark.parametrize("size", [-1, 0, 10**30, "1e400GB", "999999999TB", "much"])
def test_memory_that_there_is_not(client: TestClient, articles: Path, size: int | str) -> None:
    """It is said at once what may be given, and nothing is begun."""
    response = client.post("/jobs", json={"paths": [str(articles)], "max_document": size})
    assert response.status_code == 422
    assert "a size like 512MB or 2GB, from 64MB to 1000TB" in response.json()["detail"]
    assert client.get("/jobs").json() == {"jobs": []}


def test_other_methods(client: TestClient) -> None:
    """The status says it all, and the header which method would do."""
    response = client.post("/search")
    assert response.headers["allow"] == "GET"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "Specified method is invalid for this resource.",
        "instance": "/api/v1/search",
    }


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
def test_other_pages_change_nothing(client: TestClient, articles: Path, kind: str) -> None:
    """A page elsewhere can send a form or plain text without asking first."""
    body = f'{{"paths": ["{articles}"]}}'
    response = client.post("/jobs", content=body, headers={"content-type": kind})
    assert (response.status_code, response.json()["type"]) == (415, "/api/v1/problems/not-json")
    assert client.get("/jobs").json() == {"jobs": []}


@pytest.mark.parametrize(
    ("error", "status", "kind", "detail"),
    [
        (
            LibraryBusy("another process is writing to /home/ada"),
            *(503, "busy"),
            "Another process is writing to this library; try again when it is done.",
        ),
        (
            LibraryDamaged("/home/ada/library.db is damaged"),
            *(503, "broken"),
            ("Something is wrong with the library's files; the terminal that runs rag says more."),
        ),
        (
            LibraryNotFound("/home/ada holds no library"),
            *(503, "broken"),
            (
                "The library is gone: its folder was moved or removed, or its disk is not there; "
                "the terminal that runs rag says more."
            ),
        ),
        (
            ModelError("/home/ada/model can't be loaded"),
            *(503, "broken"),
            "The model can't be used; the terminal that runs rag says more.",
        ),
        (
            ZeroDivisionError("in /home/ada"),
            *(500, "unexpected"),
            "Something went wrong; the terminal that runs rag says more.",
        ),
    ],
)
def test_trouble_names_no_path(error: Exception, status: int, kind: str, detail: str) -> None:
    """What is the matter in words; the rest is for the terminal."""
    response = api(Broken(error)).get("/search", params={"q": "anything"})
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (response.status_code, problem["type"]) == (status, f"/api/v1/problems/{kind}")
    assert problem["detail"] == detail
    assert response.headers.get("retry-after") == ("5" if status == 503 else None)
    assert "ada" not in response.text


def test_errors_of_no_known_kind_are_not_shown() -> None:
    """A new kind of error can't let a path slip through."""
    assert public_errors.public_message(RagError("/home/ada")) == public_errors.UNEXPECTED
