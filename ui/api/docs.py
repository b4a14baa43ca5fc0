"""Swagger UI at ``/docs``, with all assets served locally."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

from ui.api import problems
from ui.security import content_policy

SCRIPT = "swagger-ui-bundle.js"
STYLE = "swagger-ui.css"


def add_routes(app: FastAPI) -> None:
    """Serve the page and its two assets, which come from an installed package."""
    carried = files("fastapi_offline").joinpath("static")

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
        page.headers["content-security-policy"] = content_policy.of(bytes(page.body).decode())
        return page

    @app.get(f"/docs/{SCRIPT}", include_in_schema=False)
    def script() -> FileResponse:
        return FileResponse(str(carried / SCRIPT), media_type="text/javascript")

    @app.get(f"/docs/{STYLE}", include_in_schema=False)
    def style() -> FileResponse:
        return FileResponse(str(carried / STYLE), media_type="text/css")
