"""Rendered PDF pages, the bounding boxes of sentences on them, and the original files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from rag import Document, DocumentNotFound, InputError, Library, LoadError, Span
from rag.documents.sandbox.page_viewer import Box, PageImage, PageViewer, text_on_page
from rag.documents.source_files import MissingFile, SourceFiles
from ui import strings
from ui.ops import root_path
from ui.pages import reader
from ui.security import origin

WIDTH = 1200
"""Default page width in pixels."""

_MOST_DIGITS = 9
_INERT = {"content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
"""If a browser displays a file inline after all: sandboxed, without scripts or requests."""
_PICTURE = _INERT | {"cache-control": "private, max-age=3600"}  # ids are derived from content


class Refused(Exception):
    """Raised to respond with a line for the user."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status
        self.line = line


class Shelf:
    """A library's documents with their files, and the rendering process.

    The process is started when the first page is rendered. Failures raise :class:`Refused`.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._originals = SourceFiles()
        self._viewer = PageViewer()

    def document(self, document_id: str) -> Document:
        """Look up a document; 404 if there is none."""
        try:
            return self._library.document(document_id)
        except DocumentNotFound as error:
            raise Refused(404, strings.MISSING) from error

    def original(self, document: Document) -> Path:
        """The file with the document's content.

        404 if it is inside another file, and 410 if it has changed or is gone.
        """
        found = self._originals.find(document, self._library.sources(document.id))
        if isinstance(found, MissingFile):
            raise Refused(404 if found.why == "inside" else 410, found.reason)
        return found

    def image(self, document: Document, number: int, width: int = WIDTH) -> PageImage:
        """Render a page, counted from 1, at a width in pixels.

        Refused as by :meth:`original`; 400 if the width is out of range, 404 if there is no such
        page, and 422 if it can't be rendered.
        """
        index = _index(document, number)
        path = self.original(document)
        with _refusing():
            return self._viewer.image(path, document.digest, index, width)

    def boxes(self, document: Document, number: int, span: Span | None) -> tuple[Box, ...]:
        """The bounding boxes of a range of the document's text on a page, counted from 1; empty if
        uncertain.

        Refused as by :meth:`image`, even without a range: so the response says whether the page can
        be shown.
        """
        index = _index(document, number)
        sought = text_on_page(document, index, span or Span(0, 0))
        path = self.original(document)
        with _refusing():
            return self._viewer.boxes(path, document.digest, index, sought)

    def close(self) -> None:
        """End the rendering process."""
        self._viewer.close()


def add_routes(app: FastAPI, library: Library) -> Shelf:
    """Add the routes for rendered pages and original files, which are addressed by document id
    only.

    Returns the shelf, for other pages that show boxes; it is closed with the application.
    """
    shelf = Shelf(library)
    _close_with(app, shelf)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"detail": strings.sentence(error.line)}, status_code=error.status)
        page = reader.problem(error.line, root_path.root(request.scope))
        return HTMLResponse(page, status_code=error.status, headers=origin.STILL)

    @app.get("/documents/{document_id}/pages/{number}.png")
    def picture(document_id: str, number: str, *, width: str = str(WIDTH)) -> Response:
        document = shelf.document(document_id)
        pixels = _whole(width)
        if pixels is None:
            raise Refused(400, strings.NO_WIDTH)
        image = shelf.image(document, _number(number), pixels)
        return Response(image.png, media_type="image/png", headers=_PICTURE)

    @app.get("/documents/{document_id}/pages/{number}/boxes")
    def boxes(document_id: str, number: str, *, start: str = "", end: str = "") -> Response:
        document = shelf.document(document_id)
        first, last = _whole(start), _whole(end)
        if first is None or last is None or first >= last:
            raise Refused(400, strings.NO_RANGE)
        found = shelf.boxes(document, _number(number), Span(first, last))
        return JSONResponse({"boxes": [asdict(box) for box in found]})

    @app.get("/documents/{document_id}/original")
    def original(document_id: str) -> Response:
        path = shelf.original(shelf.document(document_id))
        return FileResponse(
            path,
            media_type="application/octet-stream",
            filename=path.name,
            content_disposition_type="attachment",
            headers=_INERT,
        )

    return shelf


def _close_with(app: FastAPI, shelf: Shelf) -> None:
    """Close the shelf when the application shuts down."""
    within = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(of: FastAPI) -> AsyncIterator[Any]:
        async with within(of) as state:
            try:
                yield state
            finally:
                await asyncio.to_thread(shelf.close)

    app.router.lifespan_context = lifespan


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Translate errors of the input or of the file into a message for the user."""
    try:
        yield
    except InputError as error:
        raise Refused(400, str(error)) from error
    except LoadError as error:
        raise Refused(422, str(error)) from error


def _index(document: Document, number: int) -> int:
    if not 1 <= number <= len(document.pages):
        raise Refused(404, strings.NO_PAGE.format(number=number))
    return number - 1


def _number(text: str) -> int:
    """Parse a page number, counted from 1."""
    found = _whole(text)
    if found is None:
        raise Refused(404, strings.NO_NUMBER)
    return found


def _whole(text: str) -> int | None:
    """Parse a number; None if it is invalid or far too large."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None
