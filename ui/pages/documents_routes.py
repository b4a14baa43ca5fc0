"""The routes of the documents page and of its scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse

from rag import Failure, Filter
from ui.pages import documents_page
from ui.pages.documents_page import ROWS, Contents, Listing, Row
from ui.security import principal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from rag import DocumentSummary, FileReport, Library

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
        reports = library.report()
        contents = Contents(
            held=library.count_documents(),
            total=total,
            rows=tuple(_rows(found, reports)),
            types=library.facets().types,
            unread=tuple(_unread(reports)),
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


def _rows(found: Sequence[DocumentSummary], reports: Sequence[FileReport]) -> Iterator[Row]:
    failed = {one.source: one.reason for report in reports for one in report.failures}
    for summary in found:
        reason = failed.get(summary.source)
        yield Row(summary, (*summary.warnings, *([reason] if reason else [])))


def _unread(reports: Sequence[FileReport]) -> Iterator[Failure]:
    """Iterate over what could not be read, file by file; warnings come last."""
    for report in reports:
        yield from report.failures
    for report in reports:
        yield from (Failure(report.source, line) for line in report.warnings)
