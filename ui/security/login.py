"""Authentication of every request, before the application sees it.

A browser presents a session cookie, set by the login page; a program a token, in ``Authorization:
Bearer TOKEN``. Other requests get the login page, or a line of text for programs.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ui.api import problems
from ui.ops import root_path
from ui.security import body_limit, login_page, origin, principal, rate_counters
from ui.security import messages as told
from ui.security.error_response import refusal
from ui.security.sessions import SECONDS, Sessions

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.security.accounts import Accounts
    from ui.security.principal import Visitor

OPEN = frozenset({"/style.css", "/favicon.ico", f"{problems.PREFIX}/health"})
"""Public paths: the login page's assets, and the health check."""

LOG_IN, LOG_OUT = "/login", "/logout"

MOST_BYTES = 10_000
"""Size limit of a submitted form, in bytes."""

AT_ONCE = 2
"""Concurrent password checks: each uses a core and 16 MiB for a moment."""

WAITING = 20
"""Maximum number of waiting password checks; further ones are told to retry later."""

_SCHEME = "bearer "
_HEADERS = origin.STILL | {"cache-control": "no-store"}
_ASKING = {"www-authenticate": 'Bearer realm="rag"', "cache-control": "no-store"}

_log = logging.getLogger(__name__)


class Known:
    """Middleware that admits authenticated requests only."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts
        self._sessions = Sessions()
        self._tries = rate_counters.Tries()
        self._looking = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
        request, path = Request(scope, receive), root_path.within(scope)
        visitor = self._visitor(request)
        if path in {LOG_IN, LOG_OUT}:
            answer = await self._log(request, visitor, path)
        elif visitor is not None or path in OPEN:
            await self._app(principal.seen(scope, visitor or principal.ANYBODY), receive, send)
            return
        else:
            answer = _who(request)
        await answer(scope, receive, send)

    def _visitor(self, request: Request) -> Visitor | None:
        given = request.headers.get("authorization")
        if given is None:
            return self._sessions.find(request.cookies.get(self._sessions.cookie, ""))
        if not given.lower().startswith(_SCHEME):
            return None
        return self._accounts.program(given[len(_SCHEME) :].strip())

    async def _log(self, request: Request, visitor: Visitor | None, path: str) -> Response:
        root = root_path.root(request.scope)
        if request.method != "POST":
            if path == LOG_OUT:
                return RedirectResponse(f"{root}login", HTTPStatus.SEE_OTHER)
            page = login_page.known(root, visitor) if visitor else login_page.asking(root, root)
            return HTMLResponse(page, headers=_HEADERS)
        if path == LOG_OUT:
            self._sessions.end(request.cookies.get(self._sessions.cookie, ""))
            answer: Response = RedirectResponse(f"{root}login", HTTPStatus.SEE_OTHER)
            answer.delete_cookie(self._sessions.cookie, root)
            return answer
        return await self._try(request, root)

    async def _try(self, request: Request, root: str) -> Response:
        """Process the login form; on failure, say why."""
        try:
            body = await body_limit.read(request.scope, request.receive, MOST_BYTES)
        except (body_limit.TooLarge, body_limit.Left, TimeoutError):
            page = login_page.asking(root, root, told.WRONG)
            return HTMLResponse(page, HTTPStatus.BAD_REQUEST, _HEADERS)
        fields = {
            key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()
        }
        name, after = fields.get("name", ""), _after(fields.get("after", ""), root)
        client = rate_counters.client(request.client.host if request.client else "")
        if self._waiting >= WAITING:  # before the attempt is counted: no password is checked
            page = login_page.asking(root, after, told.OVERLOADED, name)
            headers = _HEADERS | {"retry-after": problems.SECONDS_UNTIL_AGAIN}
            return HTMLResponse(page, HTTPStatus.SERVICE_UNAVAILABLE, headers)
        seconds = self._tries.take(client)
        if seconds:
            line = told.NOT_NOW.format(wait=login_page.wait(seconds))
            page = login_page.asking(root, after, line, name)
            headers = _HEADERS | {"retry-after": str(seconds)}
            return HTMLResponse(page, HTTPStatus.TOO_MANY_REQUESTS, headers)
        visitor = await self._looked_at(name, fields.get("password", ""))
        if visitor is None:
            _log.warning("A password was wrong, from %s.", client)
            page = login_page.asking(root, after, told.WRONG, name)
            return HTMLResponse(page, HTTPStatus.UNAUTHORIZED, _HEADERS)
        self._tries.succeeded(client)
        answer = RedirectResponse(after, HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            self._sessions.cookie,
            self._sessions.begin(visitor),
            max_age=SECONDS,
            path=root,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _looked_at(self, name: str, password: str) -> Visitor | None:
        self._waiting += 1
        try:
            async with self._looking:
                return await asyncio.to_thread(self._accounts.person, name, password)
        finally:
            self._waiting -= 1


def _who(request: Request) -> Response:
    """Ask to log in: with a page for browsers, a line for programs."""
    by_token = "authorization" in request.headers
    if (
        not by_token
        and request.method == "GET"
        and "text/html" in request.headers.get("accept", "")
    ):
        root = root_path.root(request.scope)
        here = _after(root_path.asked(request.scope), root)
        if request.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(login_page.again(here), headers=_HEADERS)
        page = login_page.asking(root, here)
        return HTMLResponse(page, HTTPStatus.UNAUTHORIZED, _HEADERS | _ASKING)
    line = told.WRONG_TOKEN if by_token else told.WHO
    return refusal(request.scope, problems.UNKNOWN, line, _ASKING)


def _after(given: str, root: str) -> str:
    """The address to continue at, if it is on this server; otherwise the first page."""
    of_ours = given.startswith(root) and not given.startswith(("//", "/\\"))
    return given if of_ours and given.isprintable() and "\\" not in given else root
