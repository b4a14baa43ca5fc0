"""The server under the page: Gradio at ``/``, articles to read, health, and what programs ask:
the REST API and the tools of assistants. ``rag serve`` starts it.

It answers on this machine only, unless told otherwise, and asks nothing of any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from rag import InputError, Library, RagError
from ui import (
    citing,
    documents_routes,
    guard,
    insight_routes,
    pages,
    ratings,
    reader,
    reading,
    words,
)
from ui.api import docs, problems
from ui.api.application import create_api
from ui.jobs import Jobs
from ui.starting import Starting
from ui.warming import Warming

LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")
ANY_HOST = ("*",)
HERE = Path(__file__).parent
HEAD = (
    '<link rel="stylesheet" href="style.css"><script defer src="ratings.js"></script>'
    '<script type="module" src="page.js"></script><script type="module" src="asked.js"></script>'
)


@dataclass(frozen=True, slots=True)
class Background:
    """What goes on behind the requests: the model being loaded, and index jobs."""

    warming: Warming
    jobs: Jobs

    @classmethod
    def of(cls, library: Library) -> Background:
        """That of one library; nothing goes on yet."""
        return cls(Warming(library), Jobs(library))

    def close(self) -> None:
        """Cancel the jobs and wait for all of it: whoever called may close the library next."""
        self.jobs.close()
        self.warming.join()


def create_app(
    library: Library,
    hosts: Sequence[str] = ANY_HOST,
    background: Background | None = None,
) -> FastAPI:
    """The whole web application over one library.

    ``hosts`` are the names it answers to. For a server that only this machine should reach they
    matter: a page elsewhere could point its own name at 127.0.0.1 and read the articles. Where
    they are others than this machine's own, programs can change nothing through it.
    ``background`` is closed when the application is shut down.
    """
    _import_gradio()
    import gradio as gr

    from ui import mcp_tools
    from ui.app import build, theme

    behind = background or Background.of(library)
    tools = mcp_tools.mounted(library)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        behind.warming.start()
        async with tools.running():
            yield
        await asyncio.to_thread(behind.close)

    app = FastAPI(
        title="rag",
        docs_url=None,  # FastAPI's own pages fetch their scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        exception_handlers={404: _missing, RagError: _broken},
        lifespan=lifespan,
    )
    _add_routes(app, library, behind.warming)
    ratings.add_routes(app, library)
    citing.add_routes(app, library)
    reading.add_routes(app, library, pages.add_routes(app, library))
    docs.add_routes(app)
    app.router.routes.append(tools.route)
    may_change = set(hosts) <= set(LOCAL)
    documents_routes.add_routes(app, library, may_change=may_change)
    insight_routes.add_routes(app, library)
    api = create_api(library, behind.jobs, behind.warming, may_change=may_change)
    app.mount(problems.PREFIX, api)
    app.add_middleware(guard.guarded)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(library),
        path="/",
        head=HEAD,
        theme=theme(),
        footer_links=[],
        run_history=False,
        show_error=False,
        enable_monitoring=False,
        pwa=False,
        ssr_mode=False,
        mcp_server=False,
        allowed_paths=[],
        app_kwargs={"exception_handlers": {404: _missing}},
    )
    return mounted


def serve(
    library: Library,
    host: str = "127.0.0.1",
    port: int = 7860,
    on_ready: Callable[[str], None] | None = None,
    on_starting: Callable[[str], None] | None = None,
) -> None:
    """Answer at ``host:port`` until interrupted; port 0 takes a free one.

    ``on_starting`` is called with the address once there is a page that says that it is starting;
    ``on_ready`` some seconds later, when everything answers.

    Raises
    ------
    InputError
        If nothing can listen there, because the port is taken, say.

    """
    listener = _listen(host, port)
    with contextlib.closing(listener), contextlib.suppress(KeyboardInterrupt):
        hosts = LOCAL if host in LOCAL else ANY_HOST
        asyncio.run(_serve(library, hosts, listener, on_ready, on_starting))


async def _serve(
    library: Library,
    hosts: Sequence[str],
    listener: socket.socket,
    on_ready: Callable[[str], None] | None,
    on_starting: Callable[[str], None] | None,
) -> None:
    starting = Starting()
    server = uvicorn.Server(
        uvicorn.Config(
            starting,
            lifespan="off",  # that of the application begins later
            log_level="warning",
            access_log=False,
            server_header=False,
            # An open page keeps a connection for as long as it is open: don't wait for it.
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 — there is no event for it
        await asyncio.sleep(0.02)
    if server.started and on_starting is not None:
        on_starting(_address(listener))
    background = Background.of(library)
    try:
        await asyncio.to_thread(_import_gradio)  # seconds, in which the loop goes on
        # In the loop: without one, Gradio makes some and forgets them.
        app = create_app(library, hosts, background)
        async with app.router.lifespan_context(app):
            starting.hand_over(app)
            if not serving.done() and on_ready is not None:
                on_ready(_address(listener))
            await serving
    finally:
        server.should_exit = True  # whatever went wrong
        try:
            await serving  # which raises what ended it: Ctrl-C, say
        finally:
            background.close()  # again, in case Ctrl-C kept the application from doing it


def _import_gradio() -> None:
    """Import it, told beforehand that it must ask nothing of others; it reads that only once."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    importlib.import_module("gradio")


def _listen(host: str, port: int) -> socket.socket:
    """A socket of our own, so that a port in use is our error and not uvicorn's exit."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(words.NO_SUCH_HOST.format(host=host)) from error
    try:
        if os.name == "posix":  # elsewhere this would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise InputError(words.CANT_LISTEN.format(host=host, port=port, reason=reason)) from error
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _add_routes(app: FastAPI, library: Library, warming: Warming) -> None:
    def kept(name: str, media_type: str) -> None:
        def file() -> FileResponse:
            headers = {"cache-control": "no-cache"}
            return FileResponse(HERE / name, media_type=media_type, headers=headers)

        app.get(f"/{name}")(file)

    kept("style.css", "text/css")
    kept("page.js", "text/javascript")
    kept("asked.js", "text/javascript")

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

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(words.ICON, media_type="image/svg+xml")


async def _missing(request: Request, _: Exception) -> Response:
    """The 404 page for people, and for programs a line of JSON, or a problem of the API's.

    Some paths below the API's never reach it, such as those with a line feed.
    """
    if request.scope["path"].startswith(f"{problems.PREFIX}/"):
        return problems.nothing_here(request.scope["path"])
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": words.MISSING}, status_code=404)
    return HTMLResponse(reader.missing(), status_code=404, headers=guard.STILL)


async def _broken(request: Request, error: Exception) -> Response:
    """The library itself is in trouble; the error's own line says what to do."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"status": "error", "detail": str(error)}, status_code=503)
    return HTMLResponse(reader.problem(str(error)), status_code=503, headers=guard.STILL)
