"""All that stands between a server and whoever asks it, in the order in which a request meets it.

One gate stands before everything that is served: the page, Gradio's own routes, the API, the tools
of assistants, the page of the first seconds, and every library of several. So there is no route
that it does not guard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui import bodies, guard, proxied, visitors
from ui.login import Known
from ui.rationing import Rationed

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.access import Access


def gated(app: ASGIApp, access: Access) -> ASGIApp:
    """``app`` as others reach it."""
    inner = bodies.bounded(app)
    inner = Known(inner, access.accounts) if access.accounts else _as(inner, access.everybody)
    inner = guard.kept_from_others(inner)
    inner = Rationed(inner)
    inner = guard.named(inner, access.names)
    inner = proxied.understood(inner, access)
    return _by_kind(guard.headed(inner), app)


def _as(app: ASGIApp, visitor: visitors.Visitor) -> ASGIApp:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app(visitors.seen(scope, visitor), receive, send)

    return call


def _by_kind(guarded: ASGIApp, app: ASGIApp) -> ASGIApp:
    """Requests go through the gate, and the server's own start and end past it; nothing else does:
    nobody speaks WebSocket with this server.
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
