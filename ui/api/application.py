"""The REST API as a sub-application with its own OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from rag import Library
from ui.api import documents, files, health, index_jobs, problems, questions, restore
from ui.jobs import Jobs
from ui.ops.warm_up import WarmUp
from ui.removals import Removals
from ui.uploads import Uploads

ABOUT = (
    "Questions to one's own documents, and the documents themselves. Every error is a problem as "
    "in RFC 9457. Offsets count characters (code points) of a document's text, the end excluded. "
    "What changes something is done for programs and for this server's own page: on a server that "
    "only its own machine can reach for everybody, on any other for its owners alone, who show "
    "who they are by ``Authorization: Bearer TOKEN``."
)


def create_api(library: Library, jobs: Jobs, warming: WarmUp) -> FastAPI:
    """Create the API over a library; in it every error becomes a problem document."""
    api = FastAPI(
        title="rag",
        version=version("rag"),
        description=ABOUT,
        docs_url=None,  # FastAPI's own pages load scripts from a CDN
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        responses=problems.declared(problems.INVALID, problems.BROKEN),
    )
    problems.add_handlers(api)
    uploads, removals = Uploads(library.folder), Removals()
    api.include_router(questions.routes(library))
    api.include_router(documents.routes(library, jobs, removals))
    api.include_router(restore.routes(library, jobs, removals))
    api.include_router(files.routes(library, uploads))
    api.include_router(index_jobs.routes(jobs, uploads))
    api.include_router(health.routes(library, warming))
    api.include_router(problems.routes())
    _call_problems_by_their_type(api)
    return api


def _call_problems_by_their_type(api: FastAPI) -> None:
    """Declare errors as ``application/problem+json`` in the OpenAPI document.

    FastAPI gives all responses of an operation the same media type.
    """
    for content in _contents(api.openapi()):
        for kind, described in list(content.items()):
            if described.get("schema", {}).get("$ref", "").endswith("/Problem"):
                content[problems.MEDIA_TYPE] = content.pop(kind)


def _contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Iterate over the ``content`` objects of all responses."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                yield response.get("content", {})
