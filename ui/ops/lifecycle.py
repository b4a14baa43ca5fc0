"""Run uvicorn on a socket of our own, from the splash page to an orderly shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag import InputError, Library
from ui.api import problems
from ui.jobs import Jobs
from ui.ops.metrics import Metrics
from ui.ops.request_log import RequestLog
from ui.ops.splash import Splash
from ui.ops.warm_up import WarmUp
from ui.security.middleware import protect
from ui.security.policy import Access

SECONDS_TO_FINISH = 1
"""Grace period for running requests at shutdown."""

SECONDS_OF_STREAMS = 0.5
"""Grace period for streams, which never end by themselves: an open page keeps one."""

SECONDS_OF_QUIET = 75
"""Keep-alive timeout of idle connections: longer than that of clients and proxies (nginx: 60 s),
because a request sent while the server closes the connection is lost.
"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Background:
    """The background work over a library: loading the model, and index jobs."""

    warming: WarmUp
    jobs: Jobs

    @classmethod
    def of(cls, library: Library) -> Background:
        """Create it; nothing is started yet."""
        return cls(WarmUp(library), Jobs(library))

    def close(self) -> None:
        """Cancel the jobs and wait for all work to end; the library can be closed then."""
        self.jobs.close()
        self.warming.join()


def answer(
    build: Callable[[], Awaitable[FastAPI]],
    background: Background,
    metrics: Metrics,
    access: Access,
    *,
    host: str,
    port: int,
    on_ready: Callable[[str], None] | None,
    on_starting: Callable[[str], None] | None,
) -> None:
    """Serve until Ctrl-C or SIGTERM: running requests are then answered, and background work ends
    at a safe point. Otherwise as :func:`ui.server.serve`.

    The splash page is up while ``build`` makes the application, which takes seconds.
    """
    splash = Splash()
    observed = RequestLog(protect(splash, access), metrics)
    server = uvicorn.Server(
        uvicorn.Config(
            _end_quietly(observed),
            lifespan="off",  # the application's lifespan starts later
            proxy_headers=False,  # ui.security.proxy trusts only the configured proxy
            log_config=None,  # uvicorn logs through our own configuration
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=SECONDS_OF_QUIET,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
        )
    )
    listener = _listen(host, port)

    async def run() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        # uvicorn has no event for either, so both are polled.
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        if server.started and on_starting is not None:
            on_starting(_address(listener))
        try:
            app = await build()
            async with app.router.lifespan_context(app):
                splash.hand_over(app)
                if not serving.done() and on_ready is not None:
                    on_ready(_address(listener))
                while not (server.should_exit or serving.done()):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                background.jobs.stop()
                await asyncio.sleep(SECONDS_OF_STREAMS if observed.open_streams else 0)
                observed.end_streams()
                await serving
        finally:
            server.should_exit = True  # whatever the reason
            try:
                await serving  # re-raises what ended the server, such as Ctrl-C
            finally:
                background.close()

    with contextlib.closing(listener), _terminated(), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


def _end_quietly(app: ASGIApp) -> ASGIApp:
    """Wrap ``app`` so that requests cancelled by uvicorn at the end of the grace period end
    quietly; it would log each as a failure.
    """

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def record(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, record)
        except asyncio.CancelledError:
            if not begun:
                line = "The server is shutting down; try again in a moment"
                stopping = problems.Refused(problems.NOT_READY, line)
                await problems.refusal(scope, stopping)(scope, receive, send)

    return call


@contextlib.contextmanager
def _terminated() -> Iterator[None]:
    """Make SIGTERM an orderly shutdown with exit code 0.

    While uvicorn serves, it handles the signal itself and raises it again afterwards for the
    previous handler: the default one would kill the process before its library is closed.
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
    """Bind a socket ourselves, so that a port in use raises our error rather than making uvicorn
    exit.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(
            f"there is no address {host} on this machine; choose another: --host"
        ) from error
    try:
        if os.name == "posix":  # on Windows this would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot listen on {host}, port {port} ({reason}); choose another: --port"
        ) from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
