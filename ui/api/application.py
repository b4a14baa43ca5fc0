"""The REST API as a sub-application with its own OpenAPI document, and Swagger UI for it."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files as resources
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from rag import Library
from ui import uploads as files
from ui.api import documents, health, index_jobs, problems, questions
from ui.jobs import Jobs
from ui.ops.warm_up import WarmUp
from ui.security import headers

ABOUT = (
    "Questions to one's own documents, and the documents themselves. Every error is a problem as "
    "in RFC 9457. Offsets count characters (code points) of a document's text, the end excluded. "
    "What changes something is done for programs and for this server's own page: on a server that "
    "only its own machine can reach for everybody, on any other for its owners alone, who show "
    "who they are by ``Authorization: Bearer TOKEN``."
)

SCRIPT = "swagger-ui-bundle.js"
STYLE = "swagger-ui.css"


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
    uploads = files.Uploads(library.folder)
    api.include_router(questions.routes(library))
    api.include_router(documents.routes(library, jobs))
    api.include_router(files.routes(library, uploads))
    api.include_router(index_jobs.routes(jobs, uploads))
    api.include_router(health.routes(library, warming))
    api.include_router(problems.routes())
    _complete(api.openapi())
    return api


def add_docs(app: FastAPI) -> None:
    """Serve Swagger UI at ``/docs``, with its two assets, which come from an installed package."""
    carried = resources("fastapi_offline").joinpath("static")

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url=f".{problems.PREFIX}/openapi.json",
            title="rag for programs",
            swagger_js_url=f"docs/{SCRIPT}",
            swagger_css_url=f"docs/{STYLE}",
            swagger_favicon_url="favicon.ico",
            swagger_ui_parameters={"validatorUrl": None},  # it would contact a public server
        )
        page.headers["content-security-policy"] = headers.page_policy(bytes(page.body).decode())
        return page

    @app.get(f"/docs/{SCRIPT}", include_in_schema=False)
    def script() -> FileResponse:
        return FileResponse(str(carried / SCRIPT), media_type="text/javascript")

    @app.get(f"/docs/{STYLE}", include_in_schema=False)
    def style() -> FileResponse:
        return FileResponse(str(carried / STYLE), media_type="text/css")


def _complete(document: dict[str, Any]) -> None:
    """Add to the OpenAPI document what FastAPI doesn't know: errors are
    ``application/problem+json``, and fields with a default are in every response, too.
    """
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                for kind, described in list(content.items()):
                    if described.get("schema", {}).get("$ref", "").endswith("/Problem"):
                        content[problems.MEDIA_TYPE] = content.pop(kind)
    for name, schema in document["components"]["schemas"].items():
        if name not in {"IndexRequest", "Problem"}:
            schema["required"] = list(schema["properties"])
