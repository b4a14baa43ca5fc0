"""The web application: Gradio at ``/``, the reading pages, health checks, the REST API and the MCP
tools. ``rag serve`` starts it.

By default it listens on loopback only, and it never contacts another server.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.middleware import Middleware

from rag import Library
from ui.api import problems
from ui.api.application import add_docs, create_api
from ui.ops import lifecycle, metrics, request_log, splash
from ui.ops.lifecycle import Background
from ui.ops.metrics import LibraryState, Metrics
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
from ui.security.policy import Access, decide
from ui.templates import render

STATIC = {
    "/favicon.ico": "icon.svg",
    **{
        f"/{name}": name
        for name in ("style.css", "page.js", "asked.js", "library.js", "sending.js")
    },
}
"""The files that the pages load, by path."""


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
        async with tools.run():
            yield
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
    counted = Metrics(LibraryState(library, background.jobs, background.warming))

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
