"""Liveness and readiness probes."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter

from rag import Library
from ui.api import problems
from ui.api.schemas import Shape
from ui.ops.warm_up import WarmUp

LOADING = (
    "the model and the indexes are loading, which takes seconds, or minutes if indexing was"
    " interrupted; try again"
)


class Health(Shape):
    """The server is alive."""

    status: Literal["ok"]
    version: str
    """The version of rag."""


class Ready(Shape):
    """The server answers queries without delay."""

    status: Literal["ready"]


def lives() -> Health:
    """Make the liveness response."""
    return Health(status="ok", version=version("rag"))


def routes(library: Library, warming: WarmUp) -> APIRouter:
    """Create the probe routes."""
    router = APIRouter(tags=["health"])

    @router.get("/health")
    async def health() -> Health:  # async: needs no worker thread, all of which may be busy
        """Liveness: the process answers; nothing else is checked."""
        return lives()

    @router.get("/ready", responses=problems.declared(problems.NOT_READY))
    def ready() -> Ready:
        """Readiness: the model is loaded and the library can be read. After a failure, calling this
        starts another attempt.
        """
        if warming.state == "ready":
            library.ensure_available()
            return Ready(status="ready")
        trouble = warming.trouble
        if warming.state == "failed":
            warming.start()
        raise problems.Refused(problems.NOT_READY, trouble or LOADING)

    return router
