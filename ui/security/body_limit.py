"""What is sent with a request, read before it is answered: no more than there may be, and soon."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from ui.api import problems
from ui.ops import root_path
from ui.security import messages as told
from ui.security.error_response import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 256 * 1024
"""Of a question of the greatest length, each character escaped, twice; or the names of a thousand
files. A few MB of JSON with many small parts would take seconds in which nobody is answered.
"""

SECONDS = 30.0
"""In which all of it must have come."""

FILES = f"{problems.PREFIX}/files/"
"""Below it files are sent, which are written piece by piece and have a limit of their own."""


class TooLarge(Exception):
    """More was sent than there may be."""


class Left(Exception):
    """Whoever asked is gone."""


def bounded(app: ASGIApp) -> ASGIApp:
    """``app``, which gets the whole body of a request at once; too large ones never reach it."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        comes = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        # A library of several has its own files, below its own address.
        if not comes or (scope["method"] == "PUT" and FILES in root_path.within(scope)):
            await app(scope, receive, send)
            return
        try:
            body = await read(scope, receive, MOST_BYTES)
        except Left:
            return
        except TooLarge:
            await refusal(scope, problems.TOO_MUCH, told.TOO_LARGE)(scope, receive, send)
        except TimeoutError:
            await refusal(scope, problems.TOO_SLOW, told.TOO_SLOW)(scope, receive, send)
        else:
            await app(scope, given(body, receive), send)

    return call


async def read(scope: Scope, receive: Receive, most: int) -> bytes:
    """The body of a request.

    Raises
    ------
    TooLarge
        If it has more than ``most`` bytes, or says that it will.
    TimeoutError
        If it does not come in time.
    Left
        If whoever sends it breaks off.
    """
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and int(announced) > most:
        raise TooLarge
    body = bytearray()
    async with asyncio.timeout(SECONDS):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Left
            body += message.get("body", b"")
            if len(body) > most:
                raise TooLarge
            if not message.get("more_body", False):
                return bytes(body)


def given(body: bytes, receive: Receive) -> Receive:
    """The body as one message, and after it whatever else comes: that somebody left, say."""
    given = False

    async def call() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return call
