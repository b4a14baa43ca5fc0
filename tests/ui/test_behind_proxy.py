"""The page, its search, the API and the tools of assistants below a path of a real nginx, set up as
ui/deployment/README.md says.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hashing_embedder import HashingEmbedder
from lacking import skip_unless_in_ci
from served import SECONDS
from threaded import serving

from rag import Library
from ui.security import accounts, policy

README = Path(__file__).parents[2] / "ui" / "deployment" / "README.md"
PASSWORD = "a tank, a whale and bread"  # noqa: S105 (of nobody)

NGINX = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""


def free_port() -> int:
    """A port that nobody uses at the moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    """A client of nginx, and the token of an owner."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        skip_unless_in_ci("nginx is not installed: apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("proxied")
    articles = folder / "articles"
    articles.mkdir()
    (articles / "turret.txt").write_text("Cockerill supplies the turret of the Zorawar tank.")
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        library.index(articles)
    known, token = accounts.EMPTY.with_person("ada", "reader", PASSWORD).with_program("ci", "owner")
    accounts.save(known, folder / "people.json")
    inner, outer = free_port(), free_port()
    found = re.search(r"```nginx\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    location = found[1].replace("127.0.0.1:7860", f"127.0.0.1:{inner}")
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(folder=folder, port=outer, location=location))
    allowed = policy.decide(
        "127.0.0.1",
        accounts=accounts.load(folder / "people.json"),
        proxy="127.0.0.1",
        root="/docs-search",
        names=["docs.example.org"],
    )
    with (
        Library.open(folder / "library", embedder=HashingEmbedder()) as library,
        serving(library, allowed, inner),
        subprocess.Popen([nginx, "-p", folder, "-c", configuration]) as front,
        httpx.Client(
            base_url=f"http://127.0.0.1:{outer}/docs-search",
            headers={"host": "docs.example.org"},
            timeout=SECONDS,
        ) as client,
    ):
        try:
            until = time.monotonic() + SECONDS
            while not listens(outer):
                assert time.monotonic() < until
                time.sleep(0.02)
            yield client, token
        finally:
            front.terminate()


def listens(port: int) -> bool:
    """Whether somebody does at a port."""
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


def test_a_person(proxied: tuple[httpx.Client, str]) -> None:
    """Logs in, sees the page with all that it loads, and searches."""
    client, _ = proxied
    page = client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 401
    assert 'action="/docs-search/login"' in page.text
    assert client.get("/style.css").status_code == 200
    form = {"name": "ada", "password": PASSWORD, "after": "/docs-search/library"}
    answer = client.post("/login", data=form, headers={"origin": "http://docs.example.org"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs-search/library")
    cookie = answer.headers["set-cookie"]
    assert "Path=/docs-search/" in cookie
    headers = {"cookie": cookie.partition(";")[0]}
    library = client.get("/library", headers=headers)
    assert "turret.txt" in library.text
    assert 'id="index"' not in library.text  # a reader changes nothing
    page = client.get("/", headers=headers)
    assert page.status_code == 200
    assert '"root":"http://docs.example.org/docs-search"' in page.text
    for asset in re.findall(r'(?:src|href)="\./([^"]+)"', page.text):
        assert client.get(f"/{asset}", headers=headers).status_code == 200, asset
    asked = {"data": ["What supplies Cockerill?", "", "", "", "", "", []]}
    event = client.post("/gradio_api/call/search", json=asked, headers=headers).json()["event_id"]
    found = client.get(f"/gradio_api/call/search/{event}", headers=headers).text
    assert "turret of the" in found
    assert 'class=\\"thumb\\"' not in found  # nor rates


def test_a_program(proxied: tuple[httpx.Client, str]) -> None:
    """The API, an index job at the address that it is told, and the tools of assistants."""
    client, token = proxied
    client.cookies.clear()  # of the person before
    assert client.get("/api/v1/documents").status_code == 401
    headers = {"authorization": f"Bearer {token}"}
    found = client.get("/api/v1/search?q=turret", headers=headers).json()
    assert found["hits"][0]["source"] == "turret.txt"
    sent = client.put("/api/v1/files/whale.txt", content=b"The whale sleeps.", headers=headers)
    assert sent.status_code == 201
    job = client.post("/api/v1/jobs", json={"files": ["whale.txt"]}, headers=headers)
    assert job.headers["location"] == f"/docs-search/api/v1/jobs/{job.json()['id']}"
    listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json", "mcp-protocol-version": "2025-06-18"}
    tools = client.post("/mcp", json=listing, headers=headers | accept).json()["result"]["tools"]
    assert [tool["name"] for tool in tools] == ["search", "find", "read"]


def test_names_and_pages_of_others(proxied: tuple[httpx.Client, str]) -> None:
    """What is refused is refused through the proxy, too."""
    client, token = proxied
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/health", headers=headers | {"host": "evil.example"}).status_code == 400
    other = headers | {"origin": "http://evil.example"}
    assert client.get("/api/v1/documents", headers=other).status_code == 403
    spoofed = headers | {"x-forwarded-host": "evil.example"}
    assert client.get("/health", headers=spoofed).status_code == 200  # nginx writes its own
