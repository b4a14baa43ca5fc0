"""Forwarding headers of a reverse proxy: client address, host and scheme. Trusted only if
configured.

Any client can send such headers. So they count only from the proxy's own address, and they are
always stripped: Gradio would trust them from anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse

from ui.api import problems
from ui.security import messages
from ui.security.error_response import refusal
from ui.security.rate_counters import address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.security.access import Access

SAID = frozenset(
    {
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        *("x-forwarded-port", "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-ssl"),
        *("x-real-ip", "x-gradio-server", "x-original-url", "x-rewrite-url"),
    }
)
"""Headers that describe the original request and its client."""


def understood(app: ASGIApp, access: Access) -> ASGIApp:
    """Wrap ``app`` to see the request as the proxy received it, below the proxy's path.

    A proxied request to a server without a configured proxy is refused: every client would be taken
    for a local user.
    """
    proxy = access.proxy

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        said = _said(scope)
        if proxy is None and said:
            refused = refusal(scope, problems.BY_PROXY, messages.BEHIND_A_PROXY)
            await refused(scope, receive, send)
            return
        peer = scope.get("client")
        # The exact address: an IPv6 client counts as a whole /64, and any host in it could claim
        # this.
        known = (
            proxy is not None and peer is not None and address(peer[0]) == address(proxy.address)
        )
        asked = _asked(scope, said if known else {})
        below = _below(asked, access.root)
        answering = app if below is not None else RedirectResponse(f"{access.root}/")
        await answering(below or asked, receive, send)

    return call


def _said(scope: Scope) -> Mapping[str, str]:
    """The forwarding headers, each by its last hop, which is the proxy's own."""
    headers = Headers(scope=scope)
    found = {name: headers.getlist(name) for name in SAID if name in headers}
    return {name: lines[-1].rpartition(",")[2].strip() for name, lines in found.items()}


def _asked(scope: Scope, said: Mapping[str, str]) -> Scope:
    """The request as the proxy received it, without the forwarding headers."""
    headers = [one for one in scope["headers"] if one[0].decode("latin-1") not in SAID]
    host, scheme = said.get("x-forwarded-host"), said.get("x-forwarded-proto")
    if host:
        headers = [one for one in headers if one[0] != b"host"]
        headers.append((b"host", host.encode("latin-1")))
    asked = {**scope, "headers": headers}
    if scheme in {"http", "https"}:
        asked["scheme"] = scheme
    if "x-forwarded-for" in said:
        asked["client"] = (said["x-forwarded-for"], 0)
    return asked


def _below(scope: Scope, root: str) -> Scope | None:
    """Set the root path, whether or not the proxy strips it; None for the root path itself without
    its trailing slash, where relative links would lead elsewhere.
    """
    path, decoded = scope["path"], unquote(root)
    if not root:
        return scope
    if path == decoded:
        return None
    within = path[len(decoded) :] if path.startswith(f"{decoded}/") else path
    return {**scope, "path": f"{root}{within}", "root_path": root}
