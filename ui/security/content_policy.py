"""A content security policy for each page with scripts.

Gradio inlines scripts that differ with every request. 'unsafe-inline' would also allow scripts
injected through a document's text, so each inline script is allowed by its hash. Gradio compiles
templates in the browser, which needs 'unsafe-eval', and sets styles on elements, which needs
'unsafe-inline' for styles. What the policy guarantees: no event handler attributes, no script that
did not come with the page, and no requests to other servers.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from ui.ops import root_path

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_WITHIN = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)
"""An inline script, as a browser parses it."""

_REST = (
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def of(page: str, *, compiles: bool = False) -> str:
    """Make the policy for a page: its own scripts are allowed and, with ``compiles``, eval."""
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _WITHIN.findall(page)
    )
    allowed = " ".join(("'self'", *(f"'sha256-{one}'" for one in dict.fromkeys(hashes))))
    evaluating = " 'unsafe-eval'" if compiles else ""
    return f"default-src 'none'; script-src {allowed}{evaluating}; {_REST}"


def protect_page(app: ASGIApp) -> ASGIApp:
    """Wrap ``app`` to add a policy to Gradio's first page."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or root_path.within(scope) != "/":
            await app(scope, receive, send)
            return
        # The page has to be parsed here, so it must not be compressed.
        scope["headers"] = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        await app(scope, receive, _with_policy(send))

    return call


def _with_policy(send: Send) -> Send:
    start: Message = {}
    body = bytearray()

    async def call(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            return
        if message["type"] != "http.response.body":  # messages of ASGI extensions
            await send(message)
            return
        body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        headers = MutableHeaders(scope=start)
        if headers.get("content-type", "").startswith("text/html"):
            page = body.decode("utf-8", "replace")
            headers.setdefault("content-security-policy", of(page, compiles=True))
        await send(start)
        await send({"type": "http.response.body", "body": bytes(body)})

    return call
