"""The routes of the search quality page, and of a passage's neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.responses import HTMLResponse

from rag import DocumentNotFound
from ui.pages import insight_page, neighbours_page, reader
from ui.pages.insight_page import Known
from ui.security import origin

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag import Library

HEADERS = origin.STILL | {"cache-control": "no-store"}


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the search quality page and the page of similar passages."""

    @app.get("/insight")
    def seen() -> HTMLResponse:
        return HTMLResponse(insight_page.page(_known(library)), headers=HEADERS)

    @app.get("/insight/passages/{passage_id}")
    def neighbours(passage_id: str) -> HTMLResponse:
        try:
            passage = library.passage(passage_id)
            document = library.document(passage.document_id)
            found = library.neighbours(passage_id)
        except DocumentNotFound:
            return HTMLResponse(reader.missing("../../"), status_code=404, headers=HEADERS)
        page = neighbours_page.page(passage, document.title, document.source, found)
        return HTMLResponse(page, headers=HEADERS)


def _known(library: Library) -> Known:
    status = library.status()
    return Known(
        documents=status.documents,
        passages=status.passages,
        calibration=library.calibration(),
        reliability=library.reliability(),
        sought=library.last_check(),
        dates=library.dates(),
    )
