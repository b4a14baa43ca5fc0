"""A server that runs: what programs reach on it beside the page, and how it ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import anyio
import httpx
import pytest
import threaded
import uvicorn
from mcp import Client
from served import SECONDS, here

from rag import Library
from ui import server
from ui.security.policy import decide
from ui.server import Background

QUESTION = "Who led the Belgian Economic Mission to India?"


@contextmanager
def running(library: Library, background: Background) -> Iterator[str]:
    """A server on a free port of this machine; gives its address."""
    listener = server._listen("127.0.0.1", 0)

    async def serve() -> None:
        app = here(server.create_app(library, background))
        served.append(uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)))
        await served[0].serve(sockets=[listener])

    served: list[uvicorn.Server] = []
    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    while not (served and served[0].started):
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield server._address(listener)
    finally:
        served[0].should_exit = True
        thread.join(SECONDS)
        listener.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def address(seeds: Library) -> Iterator[str]:
    """A server over the seed articles."""
    with running(seeds, Background.of(seeds)) as found:
        yield found


def test_it_gets_ready(address: str) -> None:
    """The model is loaded behind it."""
    until = time.monotonic() + SECONDS
    while (answer := httpx.get(f"{address}/api/v1/ready")).status_code == 503:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert answer.json() == {"status": "ready"}


def test_a_quiet_connection_is_kept(seeds: Library) -> None:
    """Longer than uvicorn would by itself, which closed it just when a proxy asked on it."""
    with threaded.serving(seeds, decide("127.0.0.1")) as address:
        place = httpx.URL(address)
        connection = HTTPConnection(place.host, place.port, timeout=SECONDS)
        for seconds in (6, 0):
            connection.request("GET", "/health")
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True)
            time.sleep(seconds)
        connection.close()


def test_the_page_answers_programs(address: str) -> None:
    """Gradio's own client calls the page's search by name."""
    from gradio_client import Client as PageClient

    client = PageClient(address, verbose=False, analytics_enabled=False)
    try:
        html = client.predict(QUESTION, api_name="/search")
    finally:
        client.close()
    assert "Princess Astrid" in html


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_assistants_over_http(address: str, mode: str) -> None:
    """The official client, by the protocol's newest version and by the one with a handshake."""

    async def talk() -> None:
        async with Client(f"{address}/mcp", mode=mode) as client:
            listed = (await client.list_tools()).tools
            assert [tool.name for tool in listed] == ["search", "find", "read"]
            result = await client.call_tool("search", {"question": QUESTION})
            assert result.structured_content is not None
            assert "Princess Astrid" in result.structured_content["passages"][0]["answer"]

    anyio.run(talk)


def test_the_docs_load_nothing_from_elsewhere(address: str) -> None:
    """The page, and the two files it names, come from this server; no other is named."""
    page = httpx.get(f"{address}/docs")
    assert page.status_code == 200
    assert "://" not in page.text
    assert '"validatorUrl": null' in page.text
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    for name, kind in (("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css")):
        assert f'"docs/{name}"' in page.text
        file = httpx.get(f"{address}/docs/{name}")
        assert file.headers["content-type"].partition(";")[0] == kind
        assert len(file.content) > 100_000
    assert "url: './api/v1/openapi.json'" in page.text
    document = httpx.get(f"{address}/api/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/api/v1"}]
