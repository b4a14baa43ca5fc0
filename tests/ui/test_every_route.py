"""Every route there is, Gradio's own and those of assistants, too: walked, and asked wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import _IncludedRouter
from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder
from served import application
from starlette.routing import BaseRoute, Mount, Route

from rag import Library
from ui.security import accounts
from ui.security.middleware import protect
from ui.security.policy import LOCAL, decide

BASE = "http://127.0.0.1:7860"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
ODD = ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "%0a", "x" * 3000, "%ff", "-1")
"""What stands in an address for an id, a name or a number."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library of one article, in a folder with a name to look for."""
    folder = tmp_path_factory.mktemp("telltale")
    (folder / "turret.txt").write_text("Cockerill supplies the turret of the tank.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    with Library.open(folder / "library", embedder=HashingEmbedder()) as opened:
        opened.index(folder)
        yield opened


@pytest.fixture(scope="module")
def app(library: Library) -> FastAPI:
    """The whole application over it, without a gate."""
    return application(library)


def walked(routes: list[BaseRoute], above: str = "") -> Iterator[tuple[str, str]]:
    """Each method and path that something answers."""
    for route in routes:
        if isinstance(route, _IncludedRouter):
            prefix = route.include_context.prefix
            yield from walked(route.original_router.routes, above + prefix)
        elif isinstance(route, Mount):
            yield from walked(route.routes, above + route.path)
        elif isinstance(route, Route):
            for method in sorted(route.methods or METHODS):
                yield method, above + route.path
        else:
            raise TypeError(route)


def asked(app: FastAPI) -> list[tuple[str, str]]:
    """The same, with something in place of what an address leaves open."""
    found = [
        (method, path.replace("{path:path}", "x").replace("{", "").replace("}", ""))
        for method, path in walked(app.routes)
    ]
    paths = {path for _, path in found}
    # Of each of the four that answer, one: so the walk goes where it should.
    assert {"/mcp", "/library", "/config", "/api/v1/jobs", "/gradio_api/queue/join"} <= paths
    assert len(found) > 90
    return found


def test_names_and_pages_of_others(app: FastAPI) -> None:
    """Nothing is answered under another name, or to another page."""
    client = TestClient(protect(app, LOCAL), base_url=BASE)
    for method, path in asked(app):
        other = client.request(method, path, headers={"host": "evil.example"})
        assert other.status_code == 400, (method, path)
        for origin in ("http://evil.example", "http://127.0.0.1:8000", "null"):
            other = client.request(method, path, headers={"origin": origin})
            assert other.status_code == 403, (method, path)
            assert "access-control-allow-origin" not in other.headers


def test_who_is_not_known(app: FastAPI) -> None:
    """Nothing is answered, but for the three addresses that say nothing."""
    known, _ = accounts.EMPTY.with_program("ci", "owner")
    client = TestClient(protect(app, decide("192.0.2.7", accounts=known)), base_url=BASE)
    open_ = {"/style.css", "/favicon.ico", "/api/v1/health", "/login", "/logout"}
    for method, path in asked(app):
        answer = client.request(method, path, follow_redirects=False)
        assert path in open_ or answer.status_code == 401, (method, path)


def test_a_reader_changes_nothing(app: FastAPI, library: Library) -> None:
    """Whatever would is refused, and leaves everything as it was."""
    known, token = accounts.EMPTY.with_program("ci", "reader")
    client = TestClient(
        protect(app, decide("192.0.2.7", accounts=known)),
        base_url=BASE,
        headers={"authorization": f"Bearer {token}"},
        raise_server_exceptions=False,
    )
    before = library.status()
    rating = {"question": "turret", "passage": library.search("turret")[0].passage_id, "good": True}
    assert client.put("/ratings", json=rating).status_code == 403
    changing = [one for one in asked(app) if one[0] in CHANGING and "/api/v1/" in one[1]]
    assert len(changing) == 6
    for method, path in changing:
        body = {"paths": [str(library.path)]} if path.endswith("/jobs") else None
        answer = client.request(method, path, json=body)
        assert answer.status_code == 403, (method, path)
        assert answer.json()["type"] == "/api/v1/problems/read-only"
    assert client.get("/api/v1/search?q=turret").json()["hits"]
    assert 'id="index"' not in client.get("/library").text
    assert library.status() == before
    assert library.ratings("turret") == []


def test_no_answer_names_a_place_on_this_machine(app: FastAPI, library: Library) -> None:
    """Neither pages nor errors, whatever is asked for, and though the asker may do everything."""
    client = TestClient(protect(app, LOCAL), base_url=BASE, raise_server_exceptions=False)
    document = library.documents()[0].id
    said = [
        client.get(path, headers={"accept": accept}).text
        for accept in ("text/html", "application/json")
        for path in (
            *("/", "/library", "/insight", "/health", "/config", "/docs"),
            *("/api/v1/report", "/api/v1/documents", f"/api/v1/documents/{document}"),
            *(f"/documents/{document}", f"/documents/{document}/original"),
            *(f"/documents/{document}/pages/1.png", "/api/v1/jobs"),
            f"/documents/{document}/citation?start=0&end=9",
        )
    ]
    for method, path in walked(app.routes):
        if "{" not in path or "heartbeat" in path:
            continue
        for odd in ODD:
            begin, _, rest = path.partition("{")
            end = rest.partition("}")[2].replace("{", "").replace("}", "")
            address = f"{begin}{odd}{end}"
            said.append(client.request(method, address, json={}).text)
    bodies = ({"paths": [str(library.path / "none")]}, {"files": ["../library.db"]}, {}, [])
    said.extend(client.post("/api/v1/jobs", json=body).text for body in bodies)
    assert len(said) > 200
    place = library.path.parent.name
    assert [text for text in said if place in text] == []


def test_only_scripts_that_came_with_the_page_run(app: FastAPI) -> None:
    """Gradio's own are allowed one by one; an attribute of an element never is a script."""
    page = TestClient(protect(app, LOCAL), base_url=BASE).get(
        "/", headers={"accept-encoding": "br"}
    )
    policy = page.headers["content-security-policy"]
    scripts = next(one for one in policy.split("; ") if one.startswith("script-src "))
    assert "unsafe-inline" not in scripts
    assert scripts.count("'sha256-") == len(re.findall(r"<script(?![^>]*src=)", page.text)) >= 4


def test_nobody_keeps_the_server_busy_with_json(app: FastAPI) -> None:
    """Large bodies of many small parts are refused unread, and none is sent back."""
    client = TestClient(protect(app, LOCAL), base_url=BASE, raise_server_exceptions=False)
    large, odd = ({f"{key:x}": "secret" for key in range(count)} for count in (30_000, 10_000))
    for method, path in (("POST", "/api/v1/jobs"), ("PUT", "/ratings"), ("POST", "/mcp")):
        assert client.request(method, path, json=large).status_code == 413, path
    for method, path in (("POST", "/api/v1/jobs"), ("PUT", "/ratings")):
        answer = client.request(method, path, json=odd)
        assert answer.status_code == 422, path
        assert "secret" not in answer.text
        assert len(answer.text) < 2000, path


def test_files_are_reached_by_id_alone(app: FastAPI, library: Library) -> None:
    """No address leads to a file by where it lies."""
    client = TestClient(protect(app, LOCAL), base_url=BASE, raise_server_exceptions=False)
    secret = library.path.parent / "turret.txt"
    for address in (
        f"/gradio_api/file={secret}",
        f"/file={secret}",
        f"/static/{secret}",
        f"/assets/..%2f..%2f..{secret}",
        f"/static/%2e%2e/%2e%2e/%2e%2e{secret}",
        f"/svelte/..%2f..{secret}",
        f"/documents/{secret}",
        f"/documents/..%2f..%2f{secret.name}/original",
        f"/api/v1/files/{secret}",
    ):
        answer = client.get(address)
        assert answer.status_code >= 400, address
        assert "Cockerill" not in answer.text
