"""The routes of the reading page: a document's text, or a rendered page of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.exceptions import HTTPException
from fastapi.responses import HTMLResponse

from rag import DocumentNotFound, Span
from ui import strings
from ui.pages import reader
from ui.pages.pdf_pages import Refused
from ui.pages.view_parameters import Sight
from ui.security import origin

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag import Document, Library
    from ui.pages.pdf_pages import Shelf


def add_routes(app: FastAPI, library: Library, shelf: Shelf) -> None:
    """Add the reading page, addressed by document id only; ``shelf`` renders pages."""

    @app.get("/documents/{document_id}")
    def read(document_id: str, request: Request) -> HTMLResponse:
        try:
            document = library.document(document_id)
        except DocumentNotFound as error:
            raise HTTPException(404) from error
        sight = Sight.of(request.query_params)
        page = _page(document, sight, shelf, library.parts(document))
        return HTMLResponse(page, headers=origin.STILL)


def _page(document: Document, sight: Sight, shelf: Shelf, parts: tuple[str, ...]) -> str:
    if sight.page is None:
        return reader.text_page(document, sight, parts=parts)
    try:
        boxes = shelf.boxes(document, sight.page, Span(*sight.answer) if sight.answer else None)
    except Refused as refused:
        # The file is gone, changed, in an archive or encrypted; the text is still available.
        note = strings.NOT_AS_PRINTED.format(reason=refused.line)
        return reader.text_page(document, replace(sight, page=None), note, parts=parts)
    around = [(b.x, b.y, b.width, b.height) for b in boxes]
    return reader.sheet_page(document, sight, around, parts=parts)
