"""Errors outside the REST API: a page for browsers, a line of JSON for programs."""

from __future__ import annotations

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from rag import DocumentNotFound, InputError, RagError
from ui import strings
from ui.api import problems
from ui.ops import public_errors, root_path
from ui.security import headers
from ui.templates import render

_log = logging.getLogger(__name__)


def add_handlers(app: FastAPI) -> None:
    """Make an application answer every error like this.

    A :class:`HTTPException` with a detail of its own is shown as it is; without one, and for a
    document that doesn't exist, 404 is the page of an unknown address.
    """
    app.exception_handler(DocumentNotFound)(missing)

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.NOT_FOUND and error.detail == "Not Found":
            return await missing(request, error)
        response = _response(request, error.status_code, error.detail)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        # FastAPI's own handler would repeat the whole input.
        return _response(request, 422, problems.summarize(problems.wrong(error)))

    @app.exception_handler(RagError)
    async def of_library(request: Request, error: RagError) -> Response:
        status = 422 if isinstance(error, InputError) else 503
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            _log.error("The library is in trouble: %s", error)
        return _response(request, status, public_errors.public_message(error), status="error")


async def missing(request: Request, _: Exception) -> Response:
    """The response for an unknown address.

    Some paths below the API's never reach it, such as those with a line feed.
    """
    if root_path.within(request.scope).startswith(f"{problems.PREFIX}/"):
        return problems.nothing_here(request.scope)
    if not _is_browser(request):
        return JSONResponse({"detail": strings.MISSING}, 404)
    line = "The address may be wrong, or the article has changed since it was found."
    page = _page(strings.MISSING, line, root_path.root(request.scope))
    return HTMLResponse(page, 404, headers=headers.STILL)


def gone(beginning: str) -> Response:
    """The page for a citation whose sentence, with this ``beginning``, no longer exists."""
    page = _page(
        "This sentence is gone",
        "Neither it nor one like it is in the documents now. It began like this:",
        quotation=beginning,
    )
    return HTMLResponse(page, 404, headers=headers.STILL)


def _response(request: Request, code: int, line: str, **more: str) -> Response:
    line = strings.sentence(line)
    if not _is_browser(request):
        return JSONResponse({**more, "detail": line}, code)
    page = _page(strings.PROBLEM, line, root_path.root(request.scope))
    return HTMLResponse(page, code, headers=headers.STILL)


def _is_browser(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _page(heading: str, line: str, root: str = "", quotation: str = "") -> str:
    return render("message", heading=heading, line=line, root=root, quotation=quotation)
