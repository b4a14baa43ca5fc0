"""Authentication of every request, before the application sees it.

A browser presents a session cookie, set by the login page; a program a token, in ``Authorization:
Bearer TOKEN``. Other requests get the login page, or a line of text for programs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import secrets
import time
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ui import strings
from ui.api import problems
from ui.ops import root_path
from ui.security import body_limit, headers, policy
from ui.security.accounts import Accounts
from ui.security.policy import ANYBODY, Principal
from ui.security.rate_limit import Backoff, Clock, Recent, client_key
from ui.templates import render

OPEN = frozenset({"/style.css", "/favicon.ico", f"{problems.PREFIX}/health"})
"""Public paths: the login page's assets, and the health check."""

LOG_IN, LOG_OUT = "/login", "/logout"

_SCHEME = "bearer "
_HEADERS = headers.STILL | {"cache-control": "no-store"}
_CHALLENGE = {"www-authenticate": 'Bearer realm="rag"', "cache-control": "no-store"}

_WRONG = "The name or the password is wrong."

_log = logging.getLogger(__name__)


class Sessions:
    """The sessions of one server: random ids in a cookie, kept in this process's memory only.

    Only a hash of each id is kept, so that the time of a lookup reveals nothing about it.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._sessions: Recent[bytes, tuple[Principal, float]] = Recent(policy.MOST_SESSIONS)
        # Cookies ignore ports, so two servers on one machine need different names.
        self.cookie = f"rag-{secrets.token_hex(4)}"

    def begin(self, principal: Principal) -> str:
        """Begin a session and forget expired ones; returns the id for the cookie."""
        now = self._clock()
        while self._sessions and next(iter(self._sessions.values()))[1] <= now:
            self._sessions.popitem(last=False)  # all last equally long, so the first ends first
        session = secrets.token_urlsafe(32)
        self._sessions[_digest(session)] = (principal, now + policy.SESSION_SECONDS)
        return session

    def find(self, session: str) -> Principal | None:
        """The session's principal; None if it is unknown or expired."""
        principal, ends = self._sessions.get(_digest(session), (None, 0.0))
        return principal if ends > self._clock() else None

    def end(self, session: str) -> None:
        """End a session if it exists."""
        self._sessions.pop(_digest(session), None)


class Login:
    """Authenticates requests, and answers those to the login and logout pages."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._sessions = Sessions()
        self._backoff = Backoff()
        self._checking = asyncio.Semaphore(policy.PASSWORD_CHECKS)
        self._waiting = 0

    async def admit(self, request: Request) -> Principal | Response:
        """The principal of a request that the application may answer; otherwise our response."""
        principal, path = self._principal(request), root_path.within(request.scope)
        if path == LOG_IN and request.method == "POST":
            return await self._log_in(request)
        if path in {LOG_IN, LOG_OUT}:
            return self._page(request, principal, path)
        if principal is None and path not in OPEN:
            return _challenge(request)
        return principal or ANYBODY

    def _principal(self, request: Request) -> Principal | None:
        authorization = request.headers.get("authorization")
        if authorization is None:
            return self._sessions.find(request.cookies.get(self._sessions.cookie, ""))
        if not authorization.lower().startswith(_SCHEME):
            return None
        return self._accounts.program(authorization[len(_SCHEME) :].strip())

    def _page(self, request: Request, principal: Principal | None, path: str) -> Response:
        root = root_path.root(request.scope)
        if path == LOG_IN:
            return HTMLResponse(_form(root, root, principal=principal), headers=_HEADERS)
        answer = RedirectResponse(f"{root}login", HTTPStatus.SEE_OTHER)
        if request.method == "POST":
            self._sessions.end(request.cookies.get(self._sessions.cookie, ""))
            answer.delete_cookie(self._sessions.cookie, root)
        return answer

    async def _log_in(self, request: Request) -> Response:
        """Process the login form; on failure, say why."""
        root = root_path.root(request.scope)
        try:
            body = await body_limit.read(request.scope, request.receive, policy.MOST_FORM_BYTES)
        except problems.Refused:
            page = _form(root, root, _WRONG)
            return HTMLResponse(page, HTTPStatus.BAD_REQUEST, _HEADERS)
        fields = {
            key: values[0] for key, values in parse_qs(body.decode("utf-8", "replace")).items()
        }
        name, after = fields.get("name", ""), _local_address(fields.get("after", ""), root)

        def again(status: HTTPStatus, line: str, seconds: str | None = None) -> Response:
            headers = _HEADERS | ({"retry-after": seconds} if seconds else {})
            return HTMLResponse(_form(root, after, line, name), status, headers)

        if self._waiting >= policy.WAITING_PASSWORD_CHECKS:  # before the attempt is counted
            seconds = problems.SECONDS_UNTIL_AGAIN
            return again(HTTPStatus.SERVICE_UNAVAILABLE, strings.OVERLOADED, seconds)
        client = client_key(request.scope)
        if wait := self._backoff.attempt(client):
            line = f"Too many attempts. Try again in {_duration(wait)}."
            return again(HTTPStatus.TOO_MANY_REQUESTS, line, str(wait))
        principal = await self._check(name, fields.get("password", ""))
        if principal is None:
            _log.warning("A password was wrong, from %s.", client)
            return again(HTTPStatus.UNAUTHORIZED, _WRONG)
        self._backoff.succeeded(client)
        answer = RedirectResponse(after, HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            self._sessions.cookie,
            self._sessions.begin(principal),
            max_age=policy.SESSION_SECONDS,
            path=root,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer

    async def _check(self, name: str, password: str) -> Principal | None:
        self._waiting += 1
        try:
            async with self._checking:
                return await asyncio.to_thread(self._accounts.person, name, password)
        finally:
            self._waiting -= 1


def _challenge(request: Request) -> Response:
    """Ask to log in: with a page for browsers, a line for programs."""
    by_token = "authorization" in request.headers
    if by_token or request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        line = (
            "This token is not valid here"
            if by_token
            else "Log in first, or send a token: Authorization: Bearer TOKEN"
        )
        raise problems.Refused(problems.UNKNOWN, line, _CHALLENGE)
    root = root_path.root(request.scope)
    here = _local_address(root_path.asked(request.scope), root)
    if request.headers.get("sec-fetch-site") == "cross-site":
        # A session's cookie doesn't come with a link on another site. It does with one of ours, so
        # this page redirects to the same address.
        return HTMLResponse(render("redirect", to=here), headers=_HEADERS)
    return HTMLResponse(_form(root, here), HTTPStatus.UNAUTHORIZED, _HEADERS | _CHALLENGE)


def _form(
    root: str, after: str, trouble: str = "", name: str = "", principal: Principal | None = None
) -> str:
    """The login page, which continues at ``after``, or for a principal the logout page.

    ``trouble`` is why the last attempt failed, and ``name`` the name that was entered.
    """
    return render(
        "login",
        root=root,
        principal=principal,
        policy=policy,
        after=after,
        trouble=trouble,
        name=name,
    )


def _duration(seconds: int) -> str:
    """Format a waiting time: “40 seconds”, “2 minutes”."""
    if seconds < 100:  # noqa: PLR2004 (up to about a minute and a half)
        return strings.count(seconds, "second")
    return strings.count(math.ceil(seconds / 60), "minute")


def _local_address(address: str, root: str) -> str:
    """The address if it is on this server; otherwise the first page."""
    local = address.startswith(root) and not address.startswith(("//", "/\\"))
    return address if local and address.isprintable() and "\\" not in address else root


def _digest(session: str) -> bytes:
    return hashlib.sha256(session.encode(errors="surrogatepass")).digest()
