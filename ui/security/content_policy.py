"""What may run in a page with scripts: a content security policy of its own for each.

Gradio writes scripts into its page, different ones for each request. Allowing all scripts in the
page would allow those, too, that a document's text smuggled in, so each is allowed by its hash. It
also compiles its templates in the browser, which needs 'unsafe-eval'; and it sets styles on
elements, hence 'unsafe-inline' there. What the policy guarantees: no attribute of an element is a
script, whatever runs came with the page, and the browser contacts no other server.
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
"""A script that stands in the page, as a browser finds it."""

_REST = (
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def of(page: str, *, compiles: bool = False) -> str:
    """The policy for a page: its own scripts may run, and with ``compiles`` compile others."""
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _WITHIN.findall(page)
    )
    allowed = " ".join(("'self'", *(f"'sha256-{one}'" for one in dict.fromkeys(hashes))))
    evaluating = " 'unsafe-eval'" if compiles else ""
    return f"default-src 'none'; script-src {allowed}{evaluating}; {_REST}"


def added(app: ASGIApp) -> ASGIApp:
    """``app``, whose first page, Gradio's, comes with a policy for its scripts."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or root_path.within(scope) != "/":
            await app(scope, receive, send)
            return
        # The page must be read here, so it comes as it is.
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
        if message["type"] != "http.response.body":  # what a server's extension is told
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
