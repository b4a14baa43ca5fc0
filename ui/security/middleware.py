"""The security middleware, in the order in which a request passes through it.

The stack wraps everything that is served: the page, Gradio's routes, the API, the MCP tools and
the splash page. So no route is unprotected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.security import body_limit, origin, principal, proxy
from ui.security.login import Known
from ui.security.rate_limit import Rationed

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.security.access import Access


def gated(app: ASGIApp, access: Access) -> ASGIApp:
    """Wrap ``app`` in the whole stack."""
    inner = body_limit.bounded(app)
    inner = Known(inner, access.accounts) if access.accounts else _as(inner, access.everybody)
    inner = origin.kept_from_others(inner)
    inner = Rationed(inner)
    inner = origin.named(inner, access.names)
    inner = proxy.understood(inner, access)
    return _by_kind(origin.headed(inner), app)


def _as(app: ASGIApp, visitor: principal.Visitor) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app(principal.seen(scope, visitor), receive, send)

    return call


def _by_kind(guarded: ASGIApp, app: ASGIApp) -> ASGIApp:
    """Send HTTP requests through the stack and lifespan events past it; other protocols, such as
    WebSocket, are not served.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await guarded(scope, receive, send)
        elif scope["type"] == "lifespan":
            await app(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    return call
