"""What every response carries, and which of Gradio's doors stay shut."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui import prefix, words

CLOSED = (
    "/gradio_api/file",
    "/gradio_api/proxy",
    "/gradio_api/upload",
    "/gradio_api/stream",
    "/gradio_api/vibe",
    "/gradio_api/dev",
    "/gradio_api/process_recording",
    "/monitoring",
)
"""The page neither takes files nor gives any away, so nothing behind these is needed."""

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the address holds the question
    "cross-origin-resource-policy": "same-origin",
}

# Gradio compiles its templates in the browser, hence 'unsafe-eval'. What the policy still
# guarantees: whatever runs in the page, the browser will contact no other server.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)

STILL = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'self'"
    )
}
"""For pages of our own: a style sheet and text. No script runs, whatever a document says."""


def is_from_here(request: Request) -> bool:
    """Whether a request comes from a page of ours, or from a program, but from no other page.

    A browser names the page's origin with whatever changes something.
    """
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def guarded(app: ASGIApp) -> ASGIApp:
    """``app`` with the closed doors closed and the headers above on every response."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers[name] = value
                headers.setdefault("content-security-policy", PAGE_POLICY)
            await send(message)

        if scope["type"] != "http":
            await app(scope, receive, send)
        elif prefix.within(scope).startswith(CLOSED):
            closed = JSONResponse({"detail": words.MISSING}, status_code=404)
            await closed(scope, receive, with_headers)
        else:
            await app(scope, receive, with_headers)

    return call
