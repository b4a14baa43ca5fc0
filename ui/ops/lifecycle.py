"""A socket and uvicorn under what is served: from the first page to the end in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag import InputError
from ui import strings
from ui.api import problems
from ui.ops.metrics import Metrics
from ui.ops.request_log import Observed
from ui.security import messages as told
from ui.security.access import Access
from ui.security.error_response import refusal
from ui.security.middleware import gated

SECONDS_TO_FINISH = 1
"""How long requests that are under way may go on when the server is told to stop."""

SECONDS_OF_STREAMS = 0.5
"""The same for those that have no end of their own: an open page keeps one."""

SECONDS_OF_QUIET = 75
"""How long a connection is kept on which nothing is asked: longer than clients and proxies keep it
(nginx 60 s), because a question that is sent while the server closes gets no answer.
"""

_log = logging.getLogger(__name__)


class Service(Protocol):
    """What a server answers with: an ASGI application that says something from the first moment
    on, and is complete while it is ``running``.
    """

    @property
    def metrics(self) -> Metrics:
        """Where its requests are counted."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Become complete, which takes seconds, and end in order."""

    def stop(self) -> None:
        """Begin to end what goes on behind the requests, without waiting for it."""

    def close(self) -> None:
        """End what may be left of it, if Ctrl-C kept that from ending in order."""


def answer(
    service: Service,
    access: Access,
    host: str,
    port: int,
    *,
    on_ready: Callable[[str], None] | None,
    on_starting: Callable[[str], None] | None,
) -> None:
    """Answer with a service until told to stop, by Ctrl-C or SIGTERM: requests that are under way
    are answered, and what goes on behind them ends at a safe point. Everything else is as in
    :func:`serve`.
    """
    listener = _listen(host, port)
    with contextlib.closing(listener), _terminated(), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_answer(service, access, listener, on_ready, on_starting))


async def _answer(
    service: Service,
    access: Access,
    listener: socket.socket,
    on_ready: Callable[[str], None] | None,
    on_starting: Callable[[str], None] | None,
) -> None:
    observed = Observed(gated(service, access), service.metrics)
    server = uvicorn.Server(
        uvicorn.Config(
            _given_up(observed),
            lifespan="off",  # that of the application begins later
            proxy_headers=False,  # ui.security.proxy believes them only where it was told to
            log_config=None,  # what it says goes where all else goes
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=SECONDS_OF_QUIET,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 — there is no event for it
        await asyncio.sleep(0.02)
    if server.started and on_starting is not None:
        on_starting(_address(listener))
    try:
        async with service.running():
            if not serving.done() and on_ready is not None:
                on_ready(_address(listener))
            await _told_to_stop(server, serving)
            service.stop()
            await asyncio.sleep(SECONDS_OF_STREAMS if observed.open_streams else 0)
            observed.end_streams()
            await serving
    finally:
        server.should_exit = True  # whatever went wrong
        try:
            await serving  # which raises what ended it: Ctrl-C, say
        finally:
            service.close()


async def _told_to_stop(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    """Wait until the server takes no more requests."""
    while not (server.should_exit or serving.done()):  # noqa: ASYNC110 — there is no event for it
        await asyncio.sleep(0.1)


def _given_up(app: ASGIApp) -> ASGIApp:
    """``app``, whose requests end in order when uvicorn gives them up, as taking too long at the
    end: it would log each as a failure.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, noted)
        except asyncio.CancelledError:
            if not begun:
                await refusal(scope, problems.NOT_READY, told.STOPPING)(scope, receive, send)

    return call


@contextlib.contextmanager
def _terminated() -> Iterator[None]:
    """Let SIGTERM end the server in order, and the process with success.

    While uvicorn answers it takes the signal itself, and afterwards raises it again, for whoever
    was there before: by default that would kill the process before its library is closed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda _, __: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _listen(host: str, port: int) -> socket.socket:
    """A socket of our own, so that a port in use is our error and not uvicorn's exit."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(strings.NO_SUCH_HOST.format(host=host)) from error
    try:
        if os.name == "posix":  # elsewhere this would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise InputError(strings.CANT_LISTEN.format(host=host, port=port, reason=reason)) from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
