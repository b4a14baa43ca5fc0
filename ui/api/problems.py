"""Errors as problem details (RFC 9457), in one format for all of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from rag import DocumentNotFound, EmptyQuestion, InputError, LibraryBusy, RagError
from ui import strings
from ui.api.schemas import Shape
from ui.ops import public_errors, request_log, root_path

MEDIA_TYPE = "application/problem+json"
PREFIX = "/api/v1"

MOST_WRONG = 10
"""Maximum number of validation errors that are reported."""

LONGEST_PART = 100
"""Maximum length of a field name in an error, in characters."""

SECONDS_UNTIL_AGAIN = "5"
"""The ``Retry-After`` of temporary failures, in seconds."""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem type; without a ``name`` its status code says enough."""

    name: str
    status: HTTPStatus
    title: str

    @property
    def type(self) -> str:
        """The problem type's URI: the path of its explanation on this server."""
        return f"{PREFIX}/problems/{self.name}" if self.name else "about:blank"


INVALID = Kind("invalid-request", HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid")
IMPOSSIBLE = Kind("impossible", HTTPStatus.UNPROCESSABLE_ENTITY, "The request can't be fulfilled")
EMPTY = Kind("empty-question", HTTPStatus.UNPROCESSABLE_ENTITY, "There is nothing to look for")
NOT_JSON = Kind("not-json", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be JSON")
NOT_FOUND = Kind("not-found", HTTPStatus.NOT_FOUND, "There is no such resource")
NOT_FROM_HERE = Kind("not-from-here", HTTPStatus.FORBIDDEN, "Other pages may not do that")
READ_ONLY = Kind("read-only", HTTPStatus.FORBIDDEN, "This server is read-only")
GONE = Kind("gone", HTTPStatus.GONE, "The file no longer exists")
TOO_LARGE = Kind("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The file is too large")
NOT_KEPT = Kind("not-kept", HTTPStatus.INSUFFICIENT_STORAGE, "The file can't be stored")
TOO_MUCH = Kind("too-much", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large")
TOO_SLOW = Kind("too-slow", HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive")
UNKNOWN = Kind("not-known", HTTPStatus.UNAUTHORIZED, "Not authenticated")
MALFORMED = Kind("malformed", HTTPStatus.BAD_REQUEST, "The request's headers are malformed")
OTHER_NAME = Kind("other-name", HTTPStatus.BAD_REQUEST, "Unknown host name")
BY_PROXY = Kind("by-proxy", HTTPStatus.BAD_REQUEST, "Unexpected reverse proxy")
TOO_OFTEN = Kind("too-often", HTTPStatus.TOO_MANY_REQUESTS, "Too many requests")
OVERLOADED = Kind("overloaded", HTTPStatus.SERVICE_UNAVAILABLE, "The server is overloaded")
INDEXING = Kind("indexing", HTTPStatus.CONFLICT, "Index jobs are pending")
BUSY = Kind("busy", HTTPStatus.SERVICE_UNAVAILABLE, "Another process is writing to the library")
NOT_READY = Kind("not-ready", HTTPStatus.SERVICE_UNAVAILABLE, "The server is not ready yet")
BROKEN = Kind("broken", HTTPStatus.SERVICE_UNAVAILABLE, "The library can't be used")
UNEXPECTED = Kind("unexpected", HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong")

KINDS: Mapping[str, Kind] = MappingProxyType(
    {kind.name: kind for kind in list(globals().values()) if isinstance(kind, Kind)}
)

_OF_LIBRARY: tuple[tuple[type[RagError], Kind], ...] = (
    (EmptyQuestion, EMPTY),
    (DocumentNotFound, NOT_FOUND),
    (InputError, IMPOSSIBLE),
    (LibraryBusy, BUSY),
)


class Wrong(Shape):
    """One validation error."""

    where: str
    """The invalid field: ``query.k``, ``body.paths.0``."""
    detail: str


class Problem(Shape):
    """Problem details (RFC 9457); fields that would be null are left out."""

    type: str
    """The problem type, a URL that explains it; ``about:blank`` if the status code says enough."""
    title: str
    """A short summary of the type, the same for every occurrence."""
    status: int
    detail: str
    """What is wrong in this case, and what to do."""
    instance: str
    """The path of the request."""
    request_id: str | None = None
    """The id of the request in the server's log, as in the header ``x-request-id``."""
    errors: tuple[Wrong, ...] | None = None
    """The first ten validation errors of an invalid request."""


class ProblemType(Shape):
    """A problem type."""

    type: str
    title: str
    status: int


class Refused(Exception):
    """Raised to respond with a problem and ``headers``; ``detail`` says what to do."""

    def __init__(self, kind: Kind, detail: str, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers


def refusal(scope: Scope, error: Refused) -> Response:
    """Create the response to a request that is refused: a problem for the API, a line elsewhere."""
    if root_path.within(scope).startswith(f"{PREFIX}/"):
        return response(scope, error.kind, error.detail, headers=error.headers)
    return JSONResponse({"detail": error.detail}, error.kind.status, error.headers)


def response(
    scope: Scope,
    kind: Kind,
    detail: str,
    errors: tuple[Wrong, ...] | None = None,
    headers: Mapping[str, str] = _NO_HEADERS,
) -> Response:
    """Create a problem response for the request with this ASGI scope."""
    problem = Problem(
        type=kind.type,
        title=kind.title,
        status=kind.status,
        detail=strings.sentence(detail),
        instance=root_path.root(scope).removesuffix("/") + quote(root_path.within(scope)),
        request_id=request_log.request_id(scope),
        errors=errors,
    )
    again = kind.status == HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        kind.status,
        {**({"retry-after": SECONDS_UNTIL_AGAIN} if again else {}), **headers},
        MEDIA_TYPE,
    )


def wrong(error: RequestValidationError) -> tuple[Wrong, ...]:
    """Convert the first validation errors; of the input, only field names are repeated."""
    return tuple(
        Wrong(where=".".join(str(part)[:LONGEST_PART] for part in one["loc"]), detail=_reason(one))
        for one in error.errors()[:MOST_WRONG]
    )


def summarize(errors: tuple[Wrong, ...]) -> str:
    """Summarize validation errors in one line."""
    places = "; ".join(f"{one.where}: {one.detail.removesuffix('.')}" for one in errors)
    return f"Look at {places}"


def nothing_here(scope: Scope) -> Response:
    """Create the 404 response."""
    return response(scope, NOT_FOUND, f"nothing answers here; see {PREFIX}/openapi.json")


def declared(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """Declare the problems that an operation may return, for the OpenAPI document."""
    return {kind.status.value: {"model": Problem, "description": kind.title} for kind in kinds}


def add_handlers(api: FastAPI) -> None:
    """Turn every error of an application into a problem."""

    @api.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        return response(request.scope, error.kind, error.detail, headers=error.headers)

    @api.exception_handler(RagError)
    async def of_library(request: Request, error: RagError) -> Response:
        kind = next((kind for of, kind in _OF_LIBRARY if isinstance(error, of)), BROKEN)
        if kind is BROKEN:
            _log.error("The library is in trouble: %s", error)
        return response(request.scope, kind, public_errors.public_message(error))

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = wrong(error)
        return response(request.scope, INVALID, summarize(errors), errors)

    @api.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return nothing_here(request.scope)
        if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI, on undecodable bytes
            return response(request.scope, INVALID, "look at body: it can't be read as JSON")
        status = HTTPStatus(error.status_code)
        detail = status.description or status.phrase
        return response(
            request.scope, Kind("", status, status.phrase), detail, headers=error.headers or {}
        )

    @api.exception_handler(Exception)
    async def unexpected(request: Request, _: Exception) -> Response:
        return response(request.scope, UNEXPECTED, public_errors.UNEXPECTED)


def routes() -> APIRouter:
    """Create the routes that explain problem types."""
    router = APIRouter(tags=["problems"])

    @router.get("/problems/{name}", responses=declared(NOT_FOUND))
    def problem(name: str) -> ProblemType:
        """Get the title of a problem type."""
        kind = KINDS.get(name)
        if kind is None:
            raise Refused(NOT_FOUND, f"the kinds of problems are {', '.join(KINDS)}")
        return ProblemType(type=kind.type, title=kind.title, status=kind.status)

    return router


def _reason(error: Mapping[str, Any]) -> str:
    """The reason why a field is invalid; our own messages are passed through."""
    own = error.get("ctx", {}).get("error")
    return strings.sentence(str(own) if isinstance(own, ValueError) else error["msg"])
