"""Whether the server lives, and whether it can answer: for whatever watches over it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter

from rag import Library
from ui.api import problems
from ui.api.schemas import Shape
from ui.ops.warm_up import Warming

LOADING = "the model is loading, which takes seconds; try again"


class Health(Shape):
    """The server lives."""

    status: Literal["ok"]
    version: str
    """Of rag."""


class Ready(Shape):
    """Questions are answered at once."""

    status: Literal["ready"]


def lives() -> Health:
    """What a server says that lives."""
    return Health(status="ok", version=version("rag"))


def routes(library: Library, warming: Warming) -> APIRouter:
    """Signs of life."""
    router = APIRouter(tags=["health"])

    @router.get("/health")
    async def health() -> Health:  # no thread is waited for, all of which may be busy
        """Whether the server lives; it looks no further."""
        return lives()

    @router.get("/ready", responses=problems.declared(problems.NOT_READY))
    def ready() -> Ready:
        """Whether the model is loaded and the library can be read. After a failure, being asked
        has it tried again.
        """
        if warming.state == "ready":
            library.status()  # which is in trouble where the library is
            return Ready(status="ready")
        trouble = warming.trouble
        if warming.state == "failed":
            warming.start()
        raise problems.Refused(problems.NOT_READY, trouble or LOADING)

    return router
