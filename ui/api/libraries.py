"""The API of a server with several libraries: list, create, rename."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from rag import Shelf, Shelved
from ui.api import application, problems, write_access
from ui.api.schemas import Shape
from ui.libraries import libraries_page
from ui.ops import public_errors

ABOUT = (
    "The libraries of this server. Each has an address of its own, and below that the API to ask "
    "it: LIBRARY/api/v1/openapi.json. Every error is a problem as in RFC 9457. Libraries are "
    "created and renamed for programs and for this server's own page, by who may change something."
)

LONGEST_GIVEN = 1000
"""Characters of a name that are accepted here; the shelf validates it."""

Rename: TypeAlias = Callable[[str, str], Awaitable[str]]
"""Renames a library, as :meth:`ui.libraries.application.Libraries.rename` does."""


class Busy(Exception):
    """The library can't be closed, because documents are being indexed in it."""


class Named(BaseModel):
    """A library's new name: 1 to 64 characters, no slash, no leading dot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_GIVEN)]


class LibrarySummary(Shape):
    """A library on this server."""

    name: str
    address: str
    """Its path on the server; its own API is below it."""
    documents: int
    passages: int
    newest: dt.date | None
    """The latest date of its documents."""
    trouble: str | None
    """Why it can't be opened; the counts are 0 then."""

    @classmethod
    def of(cls, seen: Shelved) -> LibrarySummary:
        """Convert from the shelf's summary."""
        return cls(
            name=seen.name,
            address=f"/{libraries_page.address(seen.name)}",
            documents=seen.documents,
            passages=seen.passages,
            newest=seen.newest,
            trouble=None if seen.trouble is None else public_errors.public_message(seen.trouble),
        )


class LibraryList(Shape):
    """All libraries on this server, in alphabetical order."""

    libraries: tuple[LibrarySummary, ...]


def create_shelf_api(shelf: Shelf, rename: Rename) -> FastAPI:
    """Create the API over a shelf."""
    api = application.empty("rag, several libraries", ABOUT)
    api.include_router(_routes(shelf, rename))
    api.include_router(problems.routes())

    @api.exception_handler(Busy)
    async def busy(request: Request, error: Busy) -> Response:
        return problems.response(request.scope, problems.INDEXING, str(error))

    application.call_problems_by_their_type(api)
    return api


def _routes(shelf: Shelf, rename: Rename) -> APIRouter:
    router = APIRouter(tags=["libraries"])
    allowed = [Depends(write_access.require)]
    refused = problems.declared(
        problems.NOT_FROM_HERE, problems.TAKEN, problems.NOT_JSON, problems.IMPOSSIBLE
    )

    @router.get("/libraries")
    def list_libraries() -> LibraryList:
        """List the libraries, with counts."""
        return LibraryList(libraries=tuple(map(LibrarySummary.of, shelf.list())))

    @router.post("/libraries", status_code=201, dependencies=allowed, responses=refused)
    def create_library(named: Named, response: Response) -> LibrarySummary:
        """Create a library."""
        made = LibrarySummary.of(shelf.look(shelf.create(named.name)))
        response.headers["location"] = made.address
        return made

    @router.patch(
        "/libraries/{name}",
        dependencies=allowed,
        responses=refused | problems.declared(problems.NOT_FOUND),
    )
    async def rename_library(name: str, named: Named) -> LibrarySummary:
        """Rename a library in which nothing is being indexed; its old address stops working."""
        if name not in await asyncio.to_thread(shelf.names):
            raise problems.Refused(problems.NOT_FOUND, "there is no library of that name")
        now = await rename(name, named.name)
        return LibrarySummary.of(await asyncio.to_thread(shelf.look, now))

    return router
