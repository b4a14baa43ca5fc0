"""What ``rag serve`` starts: the web application, and how it is served and shut down.

Gradio is at ``/``; beside it are the other pages, health checks, the REST API and the MCP tools. By
default it listens on loopback only, and it never contacts another server.

The splash page answers until the application is built. uvicorn raises SIGTERM again after its
shutdown, which would kill the process before its library is closed, so a handler absorbs it. At
shutdown streams are ended after half a second, and requests get one.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag import InputError, Library
from ui.api import problems
from ui.api.application import add_docs, create_api
from ui.jobs import Jobs
from ui.ops import metrics, request_log, splash
from ui.ops.metrics import LibraryState, Metrics
from ui.ops.request_log import RequestLog
from ui.ops.splash import Splash
from ui.ops.warm_up import WarmUp
from ui.pages import (
    answers,
    citations,
    documents_page,
    error_pages,
    insight,
    neighbours,
    pdf_pages,
    reader,
)
from ui.pages.pdf_pages import PdfPages
from ui.security import gradio_routes, headers
from ui.security.middleware import protect
from ui.security.policy import Access, decide
from ui.templates import render

SECONDS_TO_FINISH = 1
"""Grace period for running requests at shutdown."""

SECONDS_OF_STREAMS = 0.5
"""Grace period for streams, which never end by themselves: an open page keeps one."""

SECONDS_OF_QUIET = 75
"""Keep-alive timeout of idle connections: longer than that of clients and proxies (nginx: 60 s),
because a request sent while the server closes the connection is lost.
"""

STATIC = {
    "/favicon.ico": "icon.svg",
    **{
        f"/{name}": name
        for name in ("style.css", "page.js", "asked.js", "library.js", "sending.js")
    },
}
"""The files that the pages load, by path."""


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


def create_app(
    library: Library, background: Background | None = None, counted: Metrics | None = None
) -> FastAPI:
    """Build the web application over a library, which takes seconds; access control is added around
    it by :mod:`ui.security.middleware`.

    ``background`` is closed when the application shuts down. ``counted`` is served at ``/metrics``;
    without it that route doesn't exist.
    """
    import_gradio()
    import gradio as gr

    from ui.app import build, theme
    from ui.mcp import tools as mcp_tools

    behind = background or Background.of(library)
    tools_route, tools = mcp_tools.mounted(library)
    pages = PdfPages(library)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        behind.warming.start()
        try:
            async with tools.run():
                yield
        finally:
            await asyncio.to_thread(pages.close)
        await asyncio.to_thread(behind.close)

    app = FastAPI(
        title="rag",
        docs_url=None,  # FastAPI's own pages load scripts from a CDN
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
    )
    error_pages.add_handlers(app)
    _add_static_files(app)
    _add_health(app, library, behind.warming)
    for page in (answers, citations, documents_page, insight, neighbours):
        page.add_routes(app, library)
    pdf_pages.add_routes(app, library, pages)
    reader.add_routes(app, library, pages)
    add_docs(app)
    app.router.routes.append(tools_route)
    app.mount(problems.PREFIX, create_api(library, behind.jobs, behind.warming))
    if counted is not None:
        metrics.add_routes(app, counted)
    app.add_middleware(headers.protect_page)
    blocks = build(library)
    app.add_middleware(request_log.routed, also=(tools_route.path,))
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        head=render("head"),
        theme=theme(),
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        pwa=False,
        ssr_mode=False,
        mcp_server=False,
        allowed_paths=[],
        app_kwargs={
            "exception_handlers": {404: error_pages.missing},
            "middleware": [
                Middleware(gradio_routes.restrict, page=blocks, not_found=error_pages.missing)
            ],
        },
    )
    return mounted


def serve(
    library: Library,
    host: str = "127.0.0.1",
    port: int = 7860,
    on_ready: Callable[[str], None] | None = None,
    on_starting: Callable[[str], None] | None = None,
    *,
    access: Access | None = None,
) -> None:
    """Serve at ``host:port`` until Ctrl-C or SIGTERM; port 0 picks a free one. At the end running
    requests are answered, and background work stops at a safe point.

    ``on_starting`` is called with the address once the splash page is up, ``on_ready`` some seconds
    later, when everything answers. ``access`` says who gets in; it is required if other machines
    can reach the server.

    Raises
    ------
    InputError
        If the address can't be bound (the port is in use, for example), or if other machines could
        reach the server and no access policy is given.
    """
    access = access or decide(host)
    background = Background.of(library)
    counted = Metrics(LibraryState(library, background.jobs, background.warming))
    splash_page = Splash()
    observed = RequestLog(protect(splash_page, access), counted)
    server = uvicorn.Server(
        uvicorn.Config(
            _end_quietly(observed),
            lifespan="off",  # the application's lifespan starts later
            proxy_headers=False,  # ui.security.origin trusts only the configured proxy
            log_config=None,  # uvicorn logs through our own configuration
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_keep_alive=SECONDS_OF_QUIET,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
        )
    )
    listener = _listen(host, port)

    async def build() -> FastAPI:
        return create_app(library, background, counted)

    async def run() -> None:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        # uvicorn has no event for either, so both are polled.
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        if server.started and on_starting is not None:
            on_starting(_address(listener))
        try:
            # Takes seconds, in which the splash page and health checks must answer: in a thread.
            # It gets an event loop, since without one Gradio creates some and leaks them.
            app = await asyncio.to_thread(asyncio.run, build())
            async with app.router.lifespan_context(app):
                splash_page.hand_over(app)
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


def import_gradio() -> None:
    """Import Gradio with its telemetry switched off first: it reads the setting only once.

    Nor does it make statistics of its events, which it would after each answer, of the last 10,000.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**62)
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    importlib.import_module("gradio")
    # It looks for Matplotlib during the first answer, on the event loop, which takes seconds.
    os.environ.setdefault("MPLBACKEND", "agg")
    with contextlib.suppress(ImportError):
        importlib.import_module("matplotlib")


def _add_static_files(app: FastAPI) -> None:
    def add(path: str, name: str) -> None:
        @app.get(path)
        def file() -> FileResponse:
            return splash.static_file(name)

    for path, name in STATIC.items():
        add(path, name)


def _add_health(app: FastAPI, library: Library, warming: WarmUp) -> None:
    @app.get("/health")
    def health() -> dict[str, str | int]:
        status = library.status()
        return {
            "status": "ok",
            "model": warming.state,
            "documents": status.documents,
            "passages": status.passages,
            "generation": status.generation,
        }


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
    """Make SIGTERM an orderly shutdown with exit code 0."""
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
