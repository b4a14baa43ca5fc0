"""Body limit: request bodies are read before the request is handled, within a size and a time.

Starlette's limit has no time, and lets the application begin before all has arrived.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from ui.api import problems
from ui.ops import root_path
from ui.security import policy

FILES = f"{problems.PREFIX}/files/"
"""Uploads below this path are streamed to disk and have their own limit."""


async def buffer(scope: Scope, receive: Receive) -> Receive:
    """Read the whole body, if there is one, and return what replays it; uploads are left alone.

    Raises
    ------
    Refused
        If it is too large, or does not arrive in time.
    ClientDisconnect
        If the client leaves before the end.
    """
    headers = Headers(scope=scope)
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if not has_body or (scope["method"] == "PUT" and root_path.within(scope).startswith(FILES)):
        return receive
    return replay(await read(scope, receive, policy.MOST_BODY_BYTES), receive)


async def read(scope: Scope, receive: Receive, most: int) -> bytes:
    """Read a body of at most ``most`` bytes; raises as :func:`buffer`."""
    too_large = problems.Refused(
        problems.TOO_MUCH, "The request is larger than this server accepts"
    )
    declared = Headers(scope=scope).get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(policy.BODY_SECONDS):
            async for chunk in Request(scope, receive).stream():
                body += chunk
                if len(body) > most:
                    raise too_large
    except TimeoutError as error:
        raise problems.Refused(problems.TOO_SLOW, "The request did not arrive in time") from error
    return bytes(body)


def replay(body: bytes, receive: Receive) -> Receive:
    """Replay the body as one message, then continue with ``receive``, to see a disconnect, say."""
    whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def call() -> Message:
        return whole.pop() if whole else await receive()

    return call
