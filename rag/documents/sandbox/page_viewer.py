"""Render PDF pages in a separate process.

pdfium is not thread-safe, and files can make it hang or crash: so one page is rendered at a time,
in a process that is started on first use, reused, and replaced when it dies.
"""

from __future__ import annotations

import base64
import threading
from dataclasses import astuple
from pathlib import Path
from typing import Any

from rag.documents.pdf.rendering import Box, PageImage, PageText
from rag.documents.sandbox.processes import Worker, WorkerDied
from rag.errors import InputError, LoadError
from rag.types import Document, Span

__all__ = ["Box", "PageImage", "PageViewer", "text_on_page"]

SECONDS = 20.0
"""Timeout for one page, in seconds; most take a tenth of a second."""


def text_on_page(document: Document, index: int, span: Span) -> PageText:
    """The part of a text span that is on one page, counted from 0; may be empty.

    Raises InputError if the document has no such page.
    """
    if not 0 <= index < len(document.pages):
        raise InputError(f"there is no page {index + 1} in this document")
    page = document.pages[index]
    start, end = (min(max(at, page.start), page.end) - page.start for at in (span.start, span.end))
    return PageText(page.of(document.text), start, end)


class PageViewer:
    """Renders pages, one at a time. Thread-safe; call :meth:`close` when done."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._worker = Worker()
        self._is_closed = False

    def image(self, path: Path, digest: str, index: int, width: int) -> PageImage:
        """Render a page of the PDF at ``path``, counted from 0, ``width`` pixels wide.

        Parameters
        ----------
        path, digest
            The file, and the SHA-256 its content must have, in hexadecimal.
        index, width
            As in :func:`rag.documents.pdf.rendering.page_image`, including errors.

        Raises
        ------
        LoadError
            If the file has changed, can't be read, is not a PDF or needs a password, or if the page
            can't be rendered or takes longer than 20 s.
        InputError
            If there is no such page, or the width is out of range.
        """
        answer = self._answer(path, digest, {"page": index, "width": width})
        return PageImage(**answer | {"png": base64.b64decode(answer["png"])})

    def boxes(self, path: Path, digest: str, index: int, sought: PageText) -> tuple[Box, ...]:
        """Locate words on a page of the PDF at ``path``: one box per line, none if unsure.

        Parameters and errors are those of :meth:`image`; :func:`text_on_page` gives ``sought``.
        """
        answer = self._answer(path, digest, {"page": index, "sought": astuple(sought)})
        return tuple(Box(*edges) for edges in answer["boxes"])

    def close(self) -> None:
        """Kill the process; no page can be rendered afterwards."""
        self._is_closed = True
        self._worker.kill()  # unblocks any thread that waits for it
        with self._asking:
            self._worker.end()

    def _answer(self, path: Path, digest: str, question: dict[str, Any]) -> dict[str, Any]:
        request = {"path": str(path), "digest": digest} | question
        try:
            with self._asking:
                if self._is_closed:
                    raise InputError("pages can't be shown: the server is stopping")
                self._worker.start()
                answer = self._worker.ask(request, SECONDS)
        except WorkerDied as death:
            if death.is_late:
                raise LoadError(f"{death} and was aborted") from death
            raise LoadError(f"the PDF crashed the renderer (exit code {death.code})") from death
        if "impossible" in answer:
            raise InputError(answer["impossible"])
        if "failure" in answer:
            raise LoadError(answer["failure"])
        return answer
