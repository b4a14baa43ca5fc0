"""The page of a passage and those most similar to it, without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from rag import Library, Neighbour, Passage
from ui.pages import highlights
from ui.pages.highlights import Paragraph
from ui.pages.reader import View
from ui.security import headers
from ui.templates import render


class PassageView(NamedTuple):
    """A passage with the title and source of its document, and its address, relative to the search
    page; ``likeness`` is None for the passage itself.
    """

    id: str
    title: str
    source: str
    href: str
    paragraphs: Sequence[Paragraph]
    likeness: float | None


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the page."""

    @app.get("/insight/passages/{passage_id}")
    def neighbours(passage_id: str) -> HTMLResponse:
        passage = library.passage(passage_id)
        document = library.document(passage.document_id)
        html = page(passage, document.title, document.source, library.neighbours(passage_id))
        return HTMLResponse(html, headers=headers.STILL | {"cache-control": "no-store"})


def page(passage: Passage, title: str, source: str, found: Sequence[Neighbour]) -> str:
    """Render the passage, then its neighbours, nearest first."""
    return render(
        "neighbours",
        root="../../",
        chosen=_view(passage, title, source),
        neighbours=[_view(one.passage, one.title, one.source, one.likeness) for one in found],
    )


def _view(passage: Passage, title: str, source: str, likeness: float | None = None) -> PassageView:
    href = View(passage=(passage.start, passage.end)).address(passage.document_id)
    paragraphs = highlights.highlighted(passage.text)
    return PassageView(passage.id, title, source, href, paragraphs, likeness)
