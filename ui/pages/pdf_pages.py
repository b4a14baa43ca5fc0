"""Rendered PDF pages, the bounding boxes of sentences on them, and the original files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI
from fastapi import Path as PathParameter
from fastapi.exceptions import HTTPException
from fastapi.responses import FileResponse, Response

from rag import Document, InputError, Library, LoadError, Span
from rag.documents.sandbox.page_viewer import Box, PageImage, PageViewer, text_on_page
from rag.documents.source_files import MissingFile, SourceFiles

WIDTH = 1200
"""Default page width in pixels."""

_INERT = {"content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
"""If a browser displays a file inline after all: sandboxed, without scripts or requests."""
_PICTURE = _INERT | {"cache-control": "private, max-age=3600"}  # ids are derived from content


class PdfPages:
    """The rendering process for a library's files, started when the first page is rendered.

    Failures raise :class:`HTTPException`, whose detail is for the user.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._originals = SourceFiles()
        self._viewer = PageViewer()

    def original(self, document: Document) -> Path:
        """The file with the document's content.

        404 if it is inside another file, and 410 if it has changed or is gone.
        """
        found = self._originals.find(document, self._library.sources(document.id))
        if isinstance(found, MissingFile):
            raise HTTPException(404 if found.why == "inside" else 410, found.reason)
        return found

    def image(self, document: Document, number: int, width: int = WIDTH) -> PageImage:
        """Render a page, counted from 1, at a width in pixels.

        Fails like :meth:`original`; 400 if the width is out of range, 404 if there is no such page,
        and 422 if it can't be rendered.
        """
        with self._page(document, number) as (path, index):
            return self._viewer.image(path, document.digest, index, width)

    def boxes(self, document: Document, number: int, span: Span | None) -> tuple[Box, ...]:
        """The bounding boxes of a range of the document's text on a page, counted from 1; empty if
        uncertain.

        Fails like :meth:`image`, even without a range: so the caller learns whether the page can be
        shown.
        """
        with self._page(document, number) as (path, index):
            sought = text_on_page(document, index, span or Span(0, 0))
            return self._viewer.boxes(path, document.digest, index, sought)

    def close(self) -> None:
        """End the rendering process."""
        self._viewer.close()

    @contextlib.contextmanager
    def _page(self, document: Document, number: int) -> Iterator[tuple[Path, int]]:
        """The file and the index of a page; errors of input and file are translated."""
        if not 1 <= number <= len(document.pages):
            raise HTTPException(404, f"This document has no page {number}")
        path = self.original(document)
        try:
            yield path, number - 1
        except InputError as error:
            raise HTTPException(400, str(error)) from error
        except LoadError as error:
            raise HTTPException(422, str(error)) from error


def add_routes(app: FastAPI, library: Library, pages: PdfPages) -> None:
    """Add the routes for rendered pages and original files, addressed by document id only."""

    @app.get("/documents/{document_id}/pages/{number}.png")
    def picture(
        document_id: str, number: Annotated[int, PathParameter(ge=1)], *, width: int = WIDTH
    ) -> Response:
        image = pages.image(library.document(document_id), number, width)
        return Response(image.png, media_type="image/png", headers=_PICTURE)

    @app.get("/documents/{document_id}/original")
    def original(document_id: str) -> Response:
        path = pages.original(library.document(document_id))
        return FileResponse(
            path,
            media_type="application/octet-stream",
            filename=path.name,
            content_disposition_type="attachment",
            headers=_INERT,
        )
