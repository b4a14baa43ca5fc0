"""The routes of the page of documents, and of its script."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse

from rag import DocumentNotFound, Failure
from ui import documents
from ui.documents import Contents, Listing, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import FastAPI

    from rag import DocumentSummary, Library

SCRIPT = Path(__file__).with_name("library.js")

POLICY = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",  # going back shows what is in the library now
}
"""A style sheet, and one script that asks this server: nothing in the page itself runs."""


def add_routes(app: FastAPI, library: Library, *, may_change: bool) -> None:
    """Let people look through the documents; with ``may_change``, index and remove some."""

    @app.get("/library")
    def listed(request: Request) -> HTMLResponse:
        listing = Listing.of(request.query_params)
        source = f"*{listing.type}" if listing.type else None
        title = listing.title or None
        total = library.count_documents(title=title, source=source)
        listing = listing.within(total)
        found = library.documents(
            documents.ROWS,
            offset=(listing.page - 1) * documents.ROWS,
            order=listing.sort,
            title=title,
            source=source,
        )
        contents = Contents(
            held=library.count_documents(),
            total=total,
            rows=tuple(_rows(library, found)),
            types=library.facets().types,
            unread=tuple(_unread(library)),
        )
        page = documents.page(listing, contents, may_change=may_change)
        return HTMLResponse(page, headers=POLICY)

    @app.get("/library.js")
    def script() -> FileResponse:
        return FileResponse(
            SCRIPT, media_type="text/javascript", headers={"cache-control": "no-cache"}
        )


def _rows(library: Library, found: Sequence[DocumentSummary]) -> Iterator[Row]:
    for summary in found:
        with contextlib.suppress(DocumentNotFound):  # it went a moment ago
            document = library.document(summary.id)
            yield Row(summary, document.metadata.get("language", ""), len(document.pages))


def _unread(library: Library) -> Iterator[Failure]:
    """What could not be read, file by file; what was read with doubts comes last."""
    reports = library.report()
    for report in reports:
        yield from report.failures
    for report in reports:
        yield from (Failure(report.source, line) for line in report.warnings)
