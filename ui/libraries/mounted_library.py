"""An open library in a server of several: its application and its shutdown."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import anyio
from starlette.responses import JSONResponse

from ui import server
from ui.libraries import library_strings as told
from ui.ops import metrics, root_path
from ui.ops.metrics import Reading
from ui.ops.splash import PATHS, Splash
from ui.server import Background

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from rag import Library

SECONDS_TO_FINISH = 1.0
"""Grace period for running requests when the library closes. An open page keeps a stream for as
long as it is open.
"""

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_log = logging.getLogger(__name__)


class Opened:
    """An ASGI application over a library, available at once and fully functional moments later.

    Until then it serves the splash page, and other requests wait. It must be created and used in
    one event loop.
    """

    def __init__(self, library: Library, name: str) -> None:
        self._library = library
        self._name = name
        self._background = Background.of(library)
        self._starting = Splash()
        self._complete = asyncio.Event()
        self._leaving = asyncio.Event()
        self._answering: dict[anyio.CancelScope, str] = {}
        self._silent = asyncio.Event()
        self._silent.set()
        self._closing = False
        self._run = asyncio.create_task(self._running(name))

    @property
    def is_idle(self) -> bool:
        """Whether no indexing, upload or other change is under way."""
        changing = _CHANGING.intersection(self._answering.values())
        return self._background.jobs.is_idle and not changing

    def reading(self) -> Reading:
        """The library's state for metrics."""
        behind = self._background
        return metrics.read(self._library, behind.jobs, behind.warming, self._name)

    def stop(self) -> None:
        """Cancel the background work."""
        self._background.jobs.stop()

    async def close(self) -> None:
        """Refuse new requests, end the background work and close the library."""
        self._closing = True
        with anyio.move_on_after(SECONDS_TO_FINISH):
            await self._silent.wait()
        for answering in list(self._answering):
            answering.cancel()
        await self._silent.wait()
        self._leaving.set()
        await self._run

    def end(self) -> None:
        """Do the rest of :meth:`close` synchronously, without an event loop."""
        self._background.close()
        self._library.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
        sent: Message | None = None

        async def noted(message: Message) -> None:
            nonlocal sent
            sent = message
            await send(message)

        if self._closing:
            await _closed(scope, receive, send)
            return
        with anyio.CancelScope() as answering:
            self._answering[answering] = scope["method"]
            self._silent.clear()
            try:
                if root_path.within(scope) not in PATHS:
                    await self._complete.wait()
                await self._starting(scope, receive, noted)
            finally:
                del self._answering[answering]
                if not self._answering:
                    self._silent.set()
        if not answering.cancelled_caught:
            return
        if sent is None:
            await _closed(scope, receive, send)
        elif sent["type"] == "http.response.start" or sent.get("more_body"):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _running(self, name: str) -> None:
        try:
            async with server.running(self._library, self._background, name) as app:
                self._starting.hand_over(app)
                self._complete.set()
                await self._leaving.wait()
        except Exception:  # noqa: BLE001 (the other libraries keep running)
            _log.exception("The application of a library failed.")
            self._starting.hand_over(_failed)
            self._complete.set()
        finally:
            await asyncio.to_thread(self.end)


async def _closed(scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse({"detail": told.CLOSING}, HTTPStatus.SERVICE_UNAVAILABLE)
    await answer(scope, receive, send)


async def _failed(scope: Scope, receive: Receive, send: Send) -> None:
    answer = JSONResponse({"detail": told.UNEXPECTED}, HTTPStatus.INTERNAL_SERVER_ERROR)
    await answer(scope, receive, send)
