"""Security headers on every response, and a content security policy for each kind of page.

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

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.ops import root_path

_FORBIDDEN = (
    "accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen "
    "geolocation gyroscope hid identity-credentials-get idle-detection local-fonts magnetometer "
    "microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock serial "
    "usb xr-spatial-tracking"
)
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the address contains the question
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    # Quotations are copied.
    "permissions-policy": ", ".join(
        ("clipboard-write=(self)", *(f"{feature}=()" for feature in _FORBIDDEN.split()))
    ),
}
"""Headers of every response."""

_OURS = "style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'"
STILL = {
    "content-security-policy": f"default-src 'none'; {_OURS}; frame-ancestors 'self'",
}
"""For our own pages: a style sheet and text. No script runs, whatever a document contains."""

SCRIPTED = {
    "content-security-policy": (
        f"default-src 'none'; script-src 'self'; {_OURS}; connect-src 'self'; "
        "frame-ancestors 'none'"
    ),
}
"""For our own pages with scripts, which call this server; no inline scripts."""

NOTHING = "default-src 'none'; frame-ancestors 'none'"
"""For responses without a policy of their own, such as those to programs."""

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script", re.DOTALL | re.IGNORECASE)
"""As a browser parses it."""


def add_to(send: Send) -> Send:
    """Wrap ``send`` to add the headers above to a response."""

    async def call(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(ALWAYS)
            headers.setdefault("content-security-policy", NOTHING)
        await send(message)

    return call


def page_policy(page: str, *, compiles: bool = False) -> str:
    """Make the policy for a page: its own scripts are allowed and, with ``compiles``, eval."""
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE_SCRIPT.findall(page)
    )
    allowed = " ".join(("'self'", *(f"'sha256-{one}'" for one in dict.fromkeys(hashes))))
    evaluating = " 'unsafe-eval'" if compiles else ""
    return (
        f"default-src 'none'; script-src {allowed}{evaluating}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        "connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


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
            policy = page_policy(body.decode("utf-8", "replace"), compiles=True)
            headers.setdefault("content-security-policy", policy)
        await send(start)
        await send({"type": "http.response.body", "body": bytes(body)})

    return call
