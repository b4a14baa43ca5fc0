"""The splash page, shown for the first seconds while the real page is being built.

Gradio takes seconds to import. Until then there is a page with the question field: a question typed
there is asked as soon as the real page is up.
"""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ui import strings
from ui.api import health, problems
from ui.ops import request_log, root_path
from ui.security import headers
from ui.templates import render

SCRIPT_PATH = "/starting.js"
LIVES_PATH, READY_PATH = f"{problems.PREFIX}/health", f"{problems.PREFIX}/ready"
STATIC = {SCRIPT_PATH: "starting.js", "/style.css": "style.css", "/favicon.ico": "icon.svg"}
PATHS = frozenset({"/", *STATIC, "/health", LIVES_PATH, READY_PATH})
"""Routes that answer during startup; all others get 503."""

_FOLDER = Path(__file__).parents[1] / "static"
_MEDIA_TYPES = {".svg": "image/svg+xml", ".css": "text/css", ".js": "text/javascript"}


def static_file(name: str) -> FileResponse:
    """Respond with a file of ``ui/static``."""
    file = _FOLDER / name
    no_cache = {"cache-control": "no-cache"}
    return FileResponse(file, media_type=_MEDIA_TYPES[file.suffix], headers=no_cache)


class Splash:
    """An application that answers immediately and later hands over to another."""

    def __init__(self) -> None:
        self._own = request_log.routed(_answer, also=PATHS)
        self._app = self._own

    def hand_over(self, app: ASGIApp) -> None:
        """Delegate to ``app`` from now on, except for the splash page's own script."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an ASGI request."""
        http = scope["type"] == "http"
        app = self._own if http and root_path.within(scope) == SCRIPT_PATH else self._app
        await app(scope, receive, send)


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":  # the server speaks only HTTP
        return
    path = root_path.within(scope)
    if path == "/":
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("q", [""])[0]
        page = render("splash", root="", asked=asked)
        no_store = {"cache-control": "no-store"}
        response: Response = HTMLResponse(page, headers=headers.SCRIPTED | no_store)
    elif path in STATIC:
        response = static_file(STATIC[path])
    elif path == "/health":
        response = JSONResponse({"status": "starting"})
    elif path == LIVES_PATH:
        response = JSONResponse(health.lives().model_dump())
    elif path == READY_PATH:
        response = problems.response(scope, problems.NOT_READY, health.LOADING)
    else:
        response = JSONResponse(
            {"detail": strings.STARTING},
            status_code=HTTPStatus.SERVICE_UNAVAILABLE,
            headers={"retry-after": "1"},
        )
    await response(scope, receive, send)
