"""The server under the page: Gradio at ``/``, articles to read, health. ``rag serve`` starts it.

It answers on this machine only, unless told otherwise, and asks nothing of any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from rag import DocumentNotFound, InputError, Library, RagError
from ui import answers, guard, ratings, reader, states, words
from ui.marking import Range

LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")
ANY_HOST = ("*",)
STYLE = Path(__file__).with_name("style.css")


def create_app(library: Library, hosts: Sequence[str] = ANY_HOST) -> FastAPI:
    """The whole web application over one library.

    ``hosts`` are the names it answers to. For a server that only this machine should reach they
    matter: a page elsewhere could point its own name at 127.0.0.1 and read the articles.
    """
    # Gradio reads these when it is imported and when the page is built.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import gradio as gr

    from ui.app import build, theme

    app = FastAPI(
        title="rag",
        docs_url=None,  # FastAPI's own pages fetch their scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        exception_handlers={404: _missing, RagError: _broken},
    )
    _add_routes(app, library)
    ratings.add_routes(app, library)
    app.add_middleware(guard.guarded)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        build(library),
        path="/",
        head='<link rel="stylesheet" href="style.css"><script defer src="ratings.js"></script>',
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
) -> None:
    """Answer at ``host:port`` until interrupted; port 0 takes a free one.

    ``on_ready`` is called with the address once the server really answers there.

    Raises
    ------
    InputError
        If nothing can listen there, because the port is taken, say.

    """
    listener = _listen(host, port)
    with contextlib.closing(listener), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(library, LOCAL if host in LOCAL else ANY_HOST, listener, on_ready))


async def _serve(
    library: Library,
    hosts: Sequence[str],
    listener: socket.socket,
    on_ready: Callable[[str], None] | None,
) -> None:
    app = create_app(library, hosts)  # in the loop: without one, Gradio makes some and forgets them
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            # An open page keeps a connection for as long as it is open: don't wait for it.
            timeout_graceful_shutdown=1,
        )
    )
    warming = threading.Thread(target=answers.warm, args=(library,))
    warming.start()
    try:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110 — there is no event for it
            await asyncio.sleep(0.02)
        if server.started and on_ready is not None:
            on_ready(_address(listener))
        await serving
    finally:
        warming.join()  # whoever called will close the library next


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


def _add_routes(app: FastAPI, library: Library) -> None:
    @app.get("/documents/{document_id}")
    def read(
        document_id: str,
        *,
        start: str = "",
        end: str = "",
        answer_start: str = "",
        answer_end: str = "",
        q: str = "",
    ) -> HTMLResponse:
        try:
            document = library.document(document_id)
        except DocumentNotFound as error:
            raise HTTPException(404) from error
        page = reader.page(document, _range(start, end), _range(answer_start, answer_end), q)
        return HTMLResponse(page, headers=guard.STILL)

    @app.get("/style.css")
    def style() -> FileResponse:
        return FileResponse(STYLE, media_type="text/css", headers={"cache-control": "no-cache"})

    @app.get("/health")
    def health() -> dict[str, str | int]:
        status = library.status()
        return {
            "status": "ok",
            "documents": status.documents,
            "passages": status.passages,
            "generation": status.generation,
        }

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(words.ICON, media_type="image/svg+xml")


def _range(start: str, end: str) -> Range | None:
    """Two offsets from an address; what isn't a range is as good as none."""
    if not (start.isdecimal() and end.isdecimal()):
        return None
    return (int(start), int(end)) if int(start) < int(end) else None


async def _missing(request: Request, _: Exception) -> Response:
    """The 404 page for people, and a line of JSON for programs."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": words.MISSING}, status_code=404)
    return HTMLResponse(reader.missing(), status_code=404, headers=guard.STILL)


async def _broken(request: Request, error: Exception) -> Response:
    """The library itself is in trouble; the error's own line says what to do."""
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"status": "error", "detail": str(error)}, status_code=503)
    page = reader.shell(words.PROBLEM, states.problem(str(error)), style="/style.css")
    return HTMLResponse(page, status_code=503, headers=guard.STILL)
