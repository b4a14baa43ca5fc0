"""The checks of a request, in the order in which it passes them, around everything that is served:
the page, Gradio's routes, the API, the MCP tools and the splash page.
"""

from __future__ import annotations

import contextlib

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui.api import problems
from ui.ops import root_path
from ui.security import body_limit, headers, origin
from ui.security.login import Login
from ui.security.policy import PRINCIPAL, Access, Principal
from ui.security.rate_limit import RateLimit


def protect(app: ASGIApp, access: Access) -> ASGIApp:
    """Wrap ``app`` in all checks.

    Protocols other than HTTP, such as WebSocket, are not served.
    """
    rate_limit = RateLimit()
    login = Login(access.accounts) if access.accounts is not None else None

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
            return
        with contextlib.ExitStack() as running:
            try:
                scope = origin.before_proxy(scope, access)
                origin.require_host(scope, access.hosts)
                running.enter_context(rate_limit.slot(scope))
                origin.require_same_origin(scope)
                admitted: Principal | Response = access.everybody
                if not root_path.within(scope):  # where relative links would lead elsewhere
                    admitted = RedirectResponse(root_path.root(scope))
                elif login is not None:
                    admitted = await login.admit(Request(scope, receive))
                answering: ASGIApp = app
                if isinstance(admitted, Response):
                    answering = admitted
                else:
                    scope = {**scope, PRINCIPAL: admitted}
                    receive = await body_limit.buffer(scope, receive)
            except problems.Refused as error:
                answering = problems.refusal(scope, error)
            except ClientDisconnect:
                return
            await answering(scope, receive, headers.add_to(send))

    return call
