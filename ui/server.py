"""The web application: Gradio at ``/``, the reading pages, health checks, the REST API and the MCP
tools. ``rag serve`` starts it.

By default it listens on loopback only, and it never contacts another server.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.middleware import Middleware

from rag import InputError, Library, RagError
from ui import strings
from ui.api import docs, problems
from ui.api.application import create_api
from ui.ops import lifecycle, metrics, public_errors, request_log, root_path
from ui.ops.lifecycle import Background
from ui.ops.metrics import Metrics
from ui.ops.warm_up import WarmUp
from ui.pages import (
    citations,
    documents_routes,
    insight_routes,
    pdf_pages,
    ratings,
    reader,
    reader_routes,
)
from ui.security import content_policy, gradio_routes, origin
from ui.security.policy import Access, decide
from ui.templates import render

STATIC = Path(__file__).parent / "static"

_log = logging.getLogger(__name__)


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
    tools = mcp_tools.mounted(library)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        behind.warming.start()
        async with tools.running():
            yield
        await asyncio.to_thread(behind.close)

    app = FastAPI(
        title="rag",
        docs_url=None,  # FastAPI's own pages load scripts from a CDN
        redoc_url=None,
        openapi_url=None,
        exception_handlers={
            404: _missing,
            RagError: broken,
            RequestValidationError: _invalid,
        },
        lifespan=lifespan,
    )
    _add_routes(app, library, behind.warming)
    ratings.add_routes(app, library)
    citations.add_routes(app, library)
    reader_routes.add_routes(app, library, pdf_pages.add_routes(app, library))
    docs.add_routes(app)
    app.router.routes.append(tools.route)
    documents_routes.add_routes(app, library)
    insight_routes.add_routes(app, library)
    app.mount(problems.PREFIX, create_api(library, behind.jobs, behind.warming))
    if counted is not None:
        metrics.add_routes(app, counted)
    app.add_middleware(content_policy.protect_page)
    page = build(library)
    app.add_middleware(request_log.routed, also=(tools.route.path,))
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        page,
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
            "exception_handlers": {404: _missing},
            "middleware": [Middleware(gradio_routes.restrict, page=page, not_found=_missing)],
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
    """Serve at ``host:port`` until interrupted; port 0 picks a free one.

    ``on_starting`` is called with the address once the splash page is up, ``on_ready`` some seconds
    later, when everything answers. ``access`` says who gets in; it is required if other machines
    can reach the server.

    Raises
    ------
    InputError
        If the address can't be bound (the port is in use, for example), or if other machines could
        reach the server and no access policy is given.
    """
    allowed = access or decide(host)
    background = Background.of(library)
    counted = Metrics(lambda: metrics.read(library, background.jobs, background.warming))

    async def build() -> FastAPI:
        await asyncio.to_thread(import_gradio)  # takes seconds, so not on the event loop
        # On the event loop: outside one, Gradio creates event loops and leaks them.
        return create_app(library, background, counted)

    lifecycle.answer(
        build,
        background,
        counted,
        allowed,
        host=host,
        port=port,
        on_ready=on_ready,
        on_starting=on_starting,
    )


def import_gradio() -> None:
    """Import Gradio with its telemetry switched off first: it reads the setting only once.

    Nor does it make statistics of its events, which it would after each answer, of the last 10,000.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**62)
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    importlib.import_module("gradio")


def _add_routes(app: FastAPI, library: Library, warming: WarmUp) -> None:
    def static(path: str, name: str, media_type: str) -> None:
        def file() -> FileResponse:
            headers = {"cache-control": "no-cache"}
            return FileResponse(STATIC / name, media_type=media_type, headers=headers)

        app.get(path)(file)

    static("/favicon.ico", "icon.svg", "image/svg+xml")
    static("/style.css", "style.css", "text/css")
    static("/page.js", "page.js", "text/javascript")
    static("/asked.js", "asked.js", "text/javascript")

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


async def _missing(request: Request, _: Exception) -> Response:
    """Respond 404: a page for browsers, and for programs a line of JSON or the API's problem
    details.

    Some paths below the API's never reach it, such as those with a line feed.
    """
    if root_path.within(request.scope).startswith(f"{problems.PREFIX}/"):
        return problems.nothing_here(request.scope)
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": strings.MISSING}, status_code=404)
    page = reader.missing(root_path.root(request.scope))
    return HTMLResponse(page, status_code=404, headers=origin.STILL)


async def _invalid(_: Request, error: RequestValidationError) -> Response:
    """List what is invalid in a request; FastAPI's default would echo the whole input."""
    detail = problems.summarize(problems.wrong(error))
    return JSONResponse({"detail": detail}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def broken(request: Request, error: Exception) -> Response:
    """Translate an error of the library into a response whose one line says what to do."""
    status = 422 if isinstance(error, InputError) else 503
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        _log.error("The library is in trouble: %s", error)
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse(
            {"status": "error", "detail": strings.sentence(public_errors.public_message(error))},
            status,
        )
    page = reader.problem(public_errors.public_message(error), root_path.root(request.scope))
    return HTMLResponse(page, status, headers=origin.STILL)
