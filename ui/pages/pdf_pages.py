"""Pages of PDFs as they are printed, where a sentence stands on them, and the files themselves."""

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
from rag.documents.sandbox.page_viewer import Box, PageImage, PageViewer, Sought, sought_on
from rag.documents.source_files import Astray, Originals
from ui import strings
from ui.ops import root_path
from ui.pages import reader
from ui.security import origin

WIDTH = 1200
"""Pixels of a page where the address doesn't say."""

_MOST_DIGITS = 9
_INERT = {"content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
"""Should a browser show a file after all, then as a picture of itself: no script, no request."""
_PICTURE = _INERT | {"cache-control": "private, max-age=3600"}  # an id is its content


class Refused(Exception):
    """A request that is answered by a line for a person instead."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status
        self.line = line


class Shelf:
    """The documents of a library with their files, and what draws their pages.

    The process that draws is started at the first page. What can't be answered raises
    :class:`Refused`.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._originals = Originals()
        self._viewer = PageViewer()

    def document(self, document_id: str) -> Document:
        """The document of that id; refused with 404 where there is none."""
        try:
            return self._library.document(document_id)
        except DocumentNotFound as error:
            raise Refused(404, strings.MISSING) from error

    def original(self, document: Document) -> Path:
        """The file that has the document's content.

        Refused with 404 where it lies inside another file, and with 410 where it has changed or is
        gone.
        """
        found = self._originals.find(document, self._library.sources(document.id))
        if isinstance(found, Astray):
            raise Refused(404 if found.why == "inside" else 410, found.reason)
        return found.path

    def image(self, document: Document, number: int, width: int = WIDTH) -> PageImage:
        """A page, counted from 1, so many pixels wide.

        Refused as :meth:`original` is, with 400 where the width is too small or too large, with
        404 where there is no such page, and with 422 where it can't be drawn.
        """
        index = _index(document, number)
        path = self.original(document)
        with _refusing():
            return self._viewer.image(path, document.digest, index, width)

    def boxes(self, document: Document, number: int, span: Span | None) -> tuple[Box, ...]:
        """Where a range of the document's text stands on a page, counted from 1; none if unsure.

        Refused as :meth:`image` is, also where there is no range: so the answer says whether the
        page can be shown.
        """
        index = _index(document, number)
        sought = sought_on(document, index, span) if span else Sought("")
        path = self.original(document)
        with _refusing():
            return self._viewer.boxes(path, document.digest, index, sought)

    def close(self) -> None:
        """End the process that draws."""
        self._viewer.close()


def add_routes(app: FastAPI, library: Library) -> Shelf:
    """Let pages of the library's documents be seen and their files be fetched, by id only.

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
    """Close the shelf when the application is shut down."""
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
    """Tell the person who asked what is wrong with the request, or with the file."""
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
    """The number of a page, counted from 1, from an address."""
    found = _whole(text)
    if found is None:
        raise Refused(404, strings.NO_NUMBER)
    return found


def _whole(text: str) -> int | None:
    """A number from an address, or None where it is none, or far too large."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None
