"""What is seen of every request, whatever answers it: its id, a line in the log, a count; and the
end of those that would last for ever.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Collection
from http import HTTPMethod, HTTPStatus
from typing import TYPE_CHECKING

import anyio
from starlette.datastructures import Headers, MutableHeaders

from ui.ops import logs, root_path
from ui.ops.metrics import Metrics

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-request-id"
UNMATCHED = "unmatched"
"""The route of what no route answers. The path itself is not told: it may hold anything."""

LEFT = 499
"""The status, as nginx has it, of what nobody waited for any longer when its answer began."""

WATCHED = frozenset({"/health", "/metrics", "/api/v1/health", "/api/v1/ready"})
"""Where the server says how it is, to whoever watches over it."""

_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset(method.value for method in HTTPMethod)
_STREAM = "text/event-stream"
_STATIC = (".js", ".css", ".ico", ":path}")
_PROBES = WATCHED | {"/gradio_api/heartbeat/{session_hash}"}

_log = logging.getLogger(__name__)


class Observed:
    """An ASGI application whose requests are seen from outside."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._streams: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        name = _name(scope)
        scope.setdefault("state", {})["request_id"] = name
        # The task ends with the request, and what uvicorn says of an error comes after this:
        # so it is bound and never let go.
        logs.of_request(name)
        status, whole = LEFT, False

        async def noted(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = name
                if headers.get("content-type", "").startswith(_STREAM):
                    self._streams.add(answering)
            elif message["type"] == "http.response.body":
                whole = not message.get("more_body", False)
            await send(message)

        with anyio.CancelScope() as answering, self._metrics.one_open():
            try:
                await self._app(scope, receive, noted)
            except Exception:
                status = HTTPStatus.INTERNAL_SERVER_ERROR.value if status == LEFT else status
                raise
            finally:
                self._streams.discard(answering)
                self._answered(scope, status, time.perf_counter() - began)
        if answering.cancelled_caught and not whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    @property
    def open_streams(self) -> int:
        """How many answers are under way that have no end of their own."""
        return len(self._streams)

    def end_streams(self) -> None:
        """End the answers that last as long as whoever asked wants: an open page keeps one."""
        for answering in tuple(self._streams):
            answering.cancel()

    def _answered(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(method, route, status, seconds)
        later = status == HTTPStatus.SERVICE_UNAVAILABLE
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not later:
            level = logging.WARNING
        elif route in _PROBES or (status < HTTPStatus.BAD_REQUEST and route.endswith(_STATIC)):
            level = logging.DEBUG
        else:
            level = logging.INFO
        told = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        _log.log(level, "request", extra=told)


def routed(app: ASGIApp, below: str = "", also: Collection[str] = ()) -> ASGIApp:
    """``app``, an application of several routes, which notes the route that answered.

    ``below`` is where its routes begin, ``also`` are those that write nothing into the scope.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # the beginning and the end of the application
            await app(scope, receive, send)
            return
        here, asked = scope.get("root_path", ""), root_path.within(scope)
        try:
            await app(scope, receive, send)
        finally:
            # Routers write what they found into the scope, and where they lie themselves.
            path = getattr(scope.get("route"), "path", asked if asked in also else None)
            if path is not None and "state" in scope:
                within = scope.get("root_path", "").removeprefix(here)
                scope["state"]["route"] = f"{below}{within}{path}"

    return call


def route_of(scope: Scope) -> str:
    """The route that answered, as it is declared: ``/documents/{document_id}``."""
    route: str = scope.get("state", {}).get("route", UNMATCHED)
    return route


def request_id(scope: Scope) -> str | None:
    """The id of a request, if it is seen from outside."""
    found: str | None = scope.get("state", {}).get("request_id")
    return found


def _name(scope: Scope) -> str:
    """The id that the request brings along, if it is one that may stand in a log, or a new one."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
