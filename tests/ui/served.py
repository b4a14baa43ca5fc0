"""The API over a library, as programs reach it, and embedders that wait for a test."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.types import ASGIApp

from rag import Library
from rag.types import Passage, PassageEncoding
from rag.types.protocols import Embedder
from ui import server
from ui.api import problems
from ui.api.application import create_api
from ui.jobs import Job, Jobs
from ui.ops.warm_up import WarmUp
from ui.pages import error_pages
from ui.security.middleware import protect
from ui.security.policy import LOCAL, decide
from ui.server import Background

ADDRESS = "http://127.0.0.1:7860"
SECONDS = 60.0
"""How long a test waits for what should take a moment."""


def api(
    library: Library,
    *,
    jobs: Jobs | None = None,
    warming: WarmUp | None = None,
    may_change: bool = True,
) -> TestClient:
    """A client of the API where it is mounted, without the page."""
    app = FastAPI()
    made = create_api(library, jobs or Jobs(library), warming or WarmUp(library))
    app.mount(problems.PREFIX, made)
    return TestClient(
        here(app, may_change=may_change),
        base_url=f"{ADDRESS}{problems.PREFIX}",
        raise_server_exceptions=False,
    )


def pages(library: Library, *modules: ModuleType) -> TestClient:
    """A client of some pages alone."""
    app = FastAPI()
    error_pages.add_handlers(app)
    for one in modules:
        one.add_routes(app, library)
    return TestClient(here(app), base_url=ADDRESS)


def application(library: Library, background: Background | None = None) -> FastAPI:
    """The whole application without a gate, built inside an event loop, as ``serve`` does."""

    async def build() -> FastAPI:
        return server.create_app(library, background)

    return asyncio.run(build())


def here(app: ASGIApp, *, may_change: bool = True) -> ASGIApp:
    """An application behind its gate, for whoever sits at this machine, or for anybody."""
    return protect(app, LOCAL if may_change else decide("192.0.2.1", insecure=True))


class Pausing:
    """An embedder that stops after some passages until it is told to go on."""

    def __init__(self, embedder: Embedder, after: int) -> None:
        self._embedder = embedder
        self._after = after
        self.reached = threading.Event()
        self.go = threading.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self._embedder, name)

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """Those of the embedder behind it."""
        for number, encoding in enumerate(self._embedder.passages(passages)):
            if number == self._after:
                self.reached.set()
                assert self.go.wait(SECONDS)
            yield encoding


def over(jobs: Jobs, job: Job) -> Job:
    """The job once it is over."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        found = jobs.get(job.id)
        if found is not None and found.is_over:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not over: {jobs.get(job.id)}")


def ready(log: Path) -> str:
    """The address that a server of its own says it answers at, once it does."""
    until = time.monotonic() + 4 * SECONDS
    while time.monotonic() < until:
        for line in log.read_text().splitlines():
            if "Ready" in line:
                return str(json.loads(line)["address"])
        time.sleep(0.05)
    raise AssertionError(log.read_text())


class Broken:
    """A library whose every answer is the error it was given."""

    path = Path("nowhere")

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> object:
        def fail(*_: object, **__: object) -> None:
            raise self.error

        return fail
