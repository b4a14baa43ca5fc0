"""The outermost middleware: request ids, access log and metrics for every request, and the ending
of streams at shutdown.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Collection
from http import HTTPMethod, HTTPStatus

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.ops import logs, root_path
from ui.ops.metrics import Metrics

HEADER = "x-request-id"
UNMATCHED = "unmatched"
"""The route label of unmatched requests. The path is not logged: it may contain anything."""

LEFT = 499
"""The status, as in nginx, of a request whose client left before the response began."""

WATCHED = frozenset({"/health", "/metrics", "/api/v1/health", "/api/v1/ready"})
"""Health and metrics routes, which are polled by monitoring."""

_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset(method.value for method in HTTPMethod)
_STREAM = "text/event-stream"
_STATIC = (".js", ".css", ".ico", ":path}")
_PROBES = WATCHED | {"/gradio_api/heartbeat/{session_hash}"}

_log = logging.getLogger(__name__)


class RequestLog:
    """Middleware that observes every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        self._streams: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        name = _name(scope)
        scope.setdefault("state", {})["request_id"] = name
        # Never unbound: the task ends with the request, and uvicorn may log an error after this.
        logs.of_request(name)
        status, whole = LEFT, False

        async def record(message: Message) -> None:
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

        with anyio.CancelScope() as answering, self._metrics.open_requests.track_inprogress():
            try:
                await self._app(scope, receive, record)
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
        """The number of open streams."""
        return len(self._streams)

    def end_streams(self) -> None:
        """End all streams; an open page keeps one for as long as it is open."""
        for answering in tuple(self._streams):
            answering.cancel()

    def _answered(self, scope: Scope, status: int, seconds: float) -> None:
        route: str = scope.get("state", {}).get("route", UNMATCHED)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(method, route, status, seconds)
        later = status == HTTPStatus.SERVICE_UNAVAILABLE
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not later:
            level = logging.WARNING
        elif route in _PROBES or (status < HTTPStatus.BAD_REQUEST and route.endswith(_STATIC)):
            level = logging.DEBUG
        else:
            level = logging.INFO
        fields = {"method": method, "route": route, "status": status, "seconds": round(seconds, 4)}
        _log.log(level, "request", extra=fields)


def routed(app: ASGIApp, also: Collection[str] = ()) -> ASGIApp:
    """Wrap ``app``, an application with routes, to record the route that matched.

    ``also`` lists routes that leave no trace in the scope.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # lifespan
            await app(scope, receive, send)
            return
        here, asked = scope.get("root_path", ""), root_path.within(scope)
        try:
            await app(scope, receive, send)
        finally:
            # Routers write the matched route and their own root path into the scope.
            path = getattr(scope.get("route"), "path", asked if asked in also else None)
            if path is not None and "state" in scope:
                within = scope.get("root_path", "").removeprefix(here)
                scope["state"]["route"] = f"{within}{path}"

    return call


def request_id(scope: Scope) -> str | None:
    """The request's id, if it passed through this middleware."""
    found: str | None = scope.get("state", {}).get("request_id")
    return found


def _name(scope: Scope) -> str:
    """The request's own id if it is safe to log, or a new one."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if _GIVEN.fullmatch(given) else uuid.uuid4().hex
