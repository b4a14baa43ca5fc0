"""The routes of a server with several libraries, besides theirs: the list of libraries, and its
API.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from rag import InputError, LibraryNotFound, RagError, Shelf, Shelved
from ui import server, strings
from ui.api import docs, problems
from ui.api.libraries import Busy, Rename, create_shelf_api
from ui.libraries import libraries_page
from ui.libraries import library_strings as told
from ui.ops import public_errors, root_path
from ui.security import origin, principal

STYLE = Path(__file__).parents[1] / "static" / "style.css"

MOST_BYTES = 10_000
"""Size limit of a submitted form, in bytes."""

HEADERS = origin.STILL | {"cache-control": "no-store"}  # the back button shows the current state


_log = logging.getLogger(__name__)


class _Refused(Exception):
    """Raised to render the page again with the reason why nothing was changed."""

    def __init__(self, status: HTTPStatus, line: str, given: str = "") -> None:
        super().__init__(line)
        self.status = status
        self.line = line
        self.given = given


def create_front(shelf: Shelf, rename: Rename) -> FastAPI:
    """Create the application at the root."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        exception_handlers={404: _missing, RagError: server.broken},
    )
    docs.add_routes(app)
    app.mount(problems.PREFIX, create_shelf_api(shelf, rename))

    logged: set[str] = set()

    def seen() -> list[Shelved]:
        found = shelf.list()
        for one in found:
            if one.trouble is not None and str(one.trouble) not in logged:
                logged.add(str(one.trouble))  # log once, not at every view of the page
                _log.error("The library “%s” can't be opened: %s", one.name, one.trouble)
        return found

    @app.get("/style.css")
    def style() -> FileResponse:
        return FileResponse(STYLE, media_type="text/css", headers={"cache-control": "no-cache"})

    @app.get("/favicon.ico")
    def icon() -> Response:
        return Response(strings.ICON, media_type="image/svg+xml")

    @app.get("/health")
    def health() -> dict[str, str | int]:
        return {"status": "ok", "libraries": len(shelf.names())}

    @app.get("/")
    def listed(request: Request) -> HTMLResponse:
        page = libraries_page.page(seen(), may_change=principal.of(request.scope).may_change)
        return HTMLResponse(page, headers=HEADERS)

    @app.post("/")
    async def changed(request: Request) -> Response:
        try:
            await _changed(request, shelf, rename)
        except _Refused as refused:
            libraries = await asyncio.to_thread(seen)
            page = libraries_page.page(
                libraries,
                may_change=principal.of(request.scope).may_change,
                trouble=refused.line,
                given=refused.given,
            )
            return HTMLResponse(page, refused.status, HEADERS)
        # Redirect, so that reloading the page doesn't submit the form again.
        return RedirectResponse("./", HTTPStatus.SEE_OTHER)

    return app


async def _changed(request: Request, shelf: Shelf, rename: Rename) -> None:
    """Carry out a form of the page: create or rename a library."""
    if not origin.is_from_here(request.scope):
        raise _Refused(HTTPStatus.FORBIDDEN, strings.NOT_FROM_HERE)
    if not principal.of(request.scope).may_change:
        raise _Refused(HTTPStatus.FORBIDDEN, told.READ_ONLY)
    fields = await _fields(request)
    name, library = fields.get("name", ""), fields.get("library")
    try:
        if library is None:
            await asyncio.to_thread(shelf.create, name)
        else:
            await rename(library, name)
    except Busy as busy:
        raise _Refused(HTTPStatus.CONFLICT, str(busy)) from busy
    except LibraryNotFound as error:
        raise _Refused(HTTPStatus.NOT_FOUND, told.NO_SUCH.format(name=library)) from error
    except InputError as error:
        given = name if library is None else ""
        raise _Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), given) from error
    except RagError as error:
        raise _Refused(
            HTTPStatus.SERVICE_UNAVAILABLE, public_errors.public_message(error)
        ) from error


async def _fields(request: Request) -> dict[str, str]:
    """Parse a submitted form into values by field name."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told.TOO_LONG)
    found = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in found.items()}


async def _missing(request: Request, _: Exception) -> Response:
    """Respond 404: a page for people, a line of JSON for programs, problem details for the API."""
    if root_path.within(request.scope).startswith(f"{problems.PREFIX}/"):
        return problems.nothing_here(request.scope)
    if "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"detail": strings.MISSING}, status_code=HTTPStatus.NOT_FOUND)
    page = libraries_page.nothing(root_path.root(request.scope))
    return HTMLResponse(page, HTTPStatus.NOT_FOUND, origin.STILL)
