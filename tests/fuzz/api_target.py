"""Requests to the REST API, to assistants' tools and to the page's own routes: the first byte of an
input says which, and the rest is its body, or what follows the question mark.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from fastapi.testclient import TestClient
from hashing_embedder import HashingEmbedder

from rag import IndexReport, Library
from ui import server
from ui.jobs import Jobs
from ui.ops.warm_up import WarmUp
from ui.security.middleware import protect
from ui.security.policy import LOCAL
from ui.server import Background

_BASE = "http://127.0.0.1:7860"
_FOLDER = "telltale"
"""Part of the path of all that lies on this machine, and so of no answer."""

_ADDRESSES: Sequence[tuple[str, str]] = (
    ("POST", "/api/v1/jobs"),
    ("POST", "/mcp"),
    ("PUT", "/ratings"),
    ("GET", "/api/v1/search"),
    ("GET", "/api/v1/ask"),
    ("GET", "/api/v1/find"),
    ("GET", "/api/v1/documents"),
    ("GET", "/api/v1/report"),
)

_CALL = (
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search",'
    b'"arguments":{"question":"turret","k":3}}}'
)
SEEDS: Sequence[bytes] = [
    b'\0{"paths":["/a","b"],"exclude":["*.md"],"ocr":"eng+deu","retry":true}',
    b'\0{"files":["a.txt"],"again":true,"ocr":false}',
    b"\1" + _CALL,
    b'\1{"jsonrpc":"2.0","id":"x","method":"initialize","params":{}}',
    b'\1[{"jsonrpc":"2.0","method":"ping"}]',
    b'\2{"question":"turret","passage":"x","good":true}',
    b"\3q=turret&k=3&since=2024-01-01&source=*.txt&language=en",
    b'\4q="the turret" -tank&k=1&until=2025-01-01',
    b"\5q=turret&offset=0&limit=10",
    b"\6limit=5&offset=0&sort=title&title=x",
    b"\7status=indexed&limit=1",
]

_BROKEN = 500


class _Reluctant:
    """A library that indexes nothing: among paths that are made up may be real ones."""

    def index(self, paths: Sequence[str], **_: object) -> IndexReport:
        """A run that found nothing to do."""
        return IndexReport((), (), tuple(paths), (), (), (), 0, 0, 0.0)


def run(data: bytes) -> None:
    """Whatever is asked is answered: by what was asked for, or by why it isn't."""
    method, address = _ADDRESSES[data[0] % len(_ADDRESSES) if data else 0]
    if method == "GET":
        # As a browser has them: what no address can hold is written with per cent signs.
        address += "?" + quote(data[1:], safe="=&+%")
    answer = _client().request(
        method,
        address,
        content=None if method == "GET" else data[1:],
        headers={
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "origin": _BASE,
        },
    )
    assert answer.status_code < _BROKEN, f"{answer.status_code}: {answer.text[:200]}"
    assert _FOLDER not in answer.text, "an answer names a place on this machine"


@functools.cache
def _client() -> TestClient:
    """The whole server over one article, kept for all inputs."""
    folder = Path(tempfile.mkdtemp(prefix=f"rag-{_FOLDER}-"))
    (folder / "turret.txt").write_text("Cockerill supplies the turret of the tank.")
    library = Library.open(folder / "library", embedder=HashingEmbedder())
    library.index(folder)

    async def build() -> TestClient:
        background = Background(WarmUp(library), Jobs(_Reluctant()))
        # What nobody expected is raised, and so has a traceback.
        return TestClient(protect(server.create_app(library, background), LOCAL), base_url=_BASE)

    client = asyncio.run(build())
    client.__enter__()  # what runs beside the application runs until this process ends
    return client
