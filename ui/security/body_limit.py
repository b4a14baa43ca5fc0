"""Body limit: request bodies are read before the request is handled, within a size and a time."""

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
"""Room for a question of maximum length with every character escaped, twice; or for the names of a
thousand files. Parsing a few MB of JSON with many small parts would block the server for seconds.
"""

SECONDS = 30.0
"""Time limit for receiving the whole body."""

FILES = f"{problems.PREFIX}/files/"
"""Uploads below this path are streamed to disk and have their own limit."""


class TooLarge(Exception):
    """The body exceeds the limit."""


class Left(Exception):
    """The client disconnected."""


def bounded(app: ASGIApp) -> ASGIApp:
    """Wrap ``app`` to receive the whole body at once; requests with too large a body never reach
    it.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        comes = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if not comes or (scope["method"] == "PUT" and root_path.within(scope).startswith(FILES)):
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
    """Read a request's body.

    Raises
    ------
    TooLarge
        If it has more than ``most`` bytes, or declares to.
    TimeoutError
        If it does not arrive in time.
    Left
        If the client disconnects.
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
    """Replay the body as one message, then continue with ``receive``, to see a disconnect, say."""
    given = False

    async def call() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return call
