"""The routes of the documents page and of its scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse

from rag import Filter
from ui.pages import documents_page
from ui.pages.documents_page import ROWS, Contents, Listing, Row
from ui.security import principal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from rag import DocumentSummary, Failure, Library

SCRIPTS = {
    name: Path(__file__).parents[1] / "static" / name for name in ("library.js", "sending.js")
}

POLICY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",  # the back button shows the current state
}
"""Allows a style sheet, and scripts that call this server; no inline scripts."""


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the documents page; owners can index and remove there."""

    @app.get("/library")
    def listed(request: Request) -> HTMLResponse:
        listing = Listing.of(request.query_params)
        source = f"*{listing.type}" if listing.type else None
        limits = Filter(source=source, title=listing.title or None)
        total = library.count_documents(limits)
        listing = listing.within(total)
        offset = (listing.page - 1) * ROWS
        found = library.documents(ROWS, limits, offset=offset, order=listing.sort)
        failures, doubts = library.unread()
        contents = Contents(
            held=library.count_documents(),
            total=total,
            rows=tuple(_rows(found, failures)),
            types=library.facets().types,
            unread=(*failures, *doubts),
        )
        may_change = principal.of(request.scope).may_change
        page = documents_page.page(listing, contents, may_change=may_change)
        return HTMLResponse(page, headers=POLICY)

    def script(one: str) -> Callable[[], FileResponse]:
        return lambda: FileResponse(
            SCRIPTS[one], media_type="text/javascript", headers={"cache-control": "no-cache"}
        )

    for one in SCRIPTS:
        app.get(f"/{one}")(script(one))


def _rows(found: Sequence[DocumentSummary], failures: Sequence[Failure]) -> Iterator[Row]:
    failed = {one.source: one.reason for one in failures}
    for summary in found:
        reason = failed.get(summary.source)
        yield Row(summary, (*summary.warnings, *([reason] if reason else [])))
