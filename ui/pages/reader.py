"""The reading page: a document with one passage highlighted, as text or as a printed page.

It has no script, so its policy can forbid all, whatever a document contains.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Semaphore
from typing import NamedTuple
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from rag import MAX_FILTER_LENGTH, MAX_QUESTION_LENGTH, Document, Library, Span
from ui.pages import highlights
from ui.pages.highlights import Range, Run
from ui.pages.pdf_pages import PdfPages
from ui.security import headers
from ui.templates import render

MOST_FOUND = 500
"""Maximum number of highlighted matches; beyond that highlights are useless."""

AT_ONCE = 2
"""Pages rendered at the same time; further ones wait."""

MOST_OTHERS = 50
"""Maximum number of further hits in an address."""


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of a document, as in the page's address.

    ``passage``, ``answer`` and ``others`` (further hits in the same document) are ranges of its
    text; they are clamped to it, and empty ranges are ignored. ``question`` is the query to return
    to, ``find`` are words to search for, and ``pane`` says whether the page is shown beside the
    hits. ``page`` is the number of the rendered PDF page, None for the text.
    """

    passage: Range | None = None
    answer: Range | None = None
    others: tuple[Range, ...] = ()
    question: str = ""
    find: str = ""
    pane: bool = False
    page: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> View:
        """Parse an address; invalid or overlong values are ignored."""
        others = query.get("others", "").split(",")[:MOST_OTHERS]
        page = query.get("page", "")
        return cls(
            passage=_parse_range(query.get("passage", "")),
            answer=_parse_range(query.get("answer", "")),
            others=tuple(filter(None, map(_parse_range, others))),
            question=_up_to(MAX_QUESTION_LENGTH, query.get("q", "")),
            find=_up_to(MAX_FILTER_LENGTH, query.get("find", "")),
            pane=query.get("pane") == "1",
            page=int(page) if re.fullmatch(r"[0-9]{1,9}", page) else None,
        )

    def parameters(self) -> dict[str, str]:
        """The query parameters, without empty ones."""
        fields = {
            "passage": _format_range(self.passage),
            "answer": _format_range(self.answer),
            "others": ",".join(map(_format_range, self.others)),
            "q": self.question,
            "find": self.find,
            "pane": "1" if self.pane else "",
            "page": "" if self.page is None else str(self.page),
        }
        return {name: value for name, value in fields.items() if value}

    def address(self, document_id: str) -> str:
        """The address, relative to the search page."""
        query = urlencode(self.parameters())
        return f"documents/{quote(document_id, safe='')}{query and f'?{query}'}"


WHOLE = View()
"""The whole text, from the beginning."""


class Block(NamedTuple):
    """A paragraph or heading: its text before, inside and after the passage.

    ``folio`` is the label of the page that begins with it; empty if none does.
    """

    tag: str
    classes: str
    folio: str
    before: Sequence[Run]
    inside: Sequence[Run]
    after: Sequence[Run]


class Steps(NamedTuple):
    """Where the reader is among the pages or parts of a document, and the addresses of the previous
    and the next one, relative to the search page; empty if there is none.
    """

    before: str
    here: str
    after: str


def add_routes(app: FastAPI, library: Library, pdf_pages: PdfPages) -> None:
    """Add the reading page, addressed by document id only."""
    # Rendering is pure Python: more at once would only keep the event loop waiting.
    rendering = Semaphore(AT_ONCE)

    @app.get("/documents/{document_id}")
    def read(document_id: str, request: Request) -> HTMLResponse:
        document = library.document(document_id)
        parts = library.parts(document)
        view = View.of(request.query_params)
        with rendering:
            return HTMLResponse(page(document, view, parts), headers=headers.STILL)

    def page(document: Document, view: View, parts: Sequence[str]) -> str:
        if view.page is None:
            return text_page(document, view, parts=parts)
        answer = Span(*view.answer) if view.answer else None
        try:
            boxes = pdf_pages.boxes(document, view.page, answer)
        except HTTPException as error:
            # The file is gone, changed, in an archive or encrypted; the text is still available.
            note = f"The printed page can't be shown: {error.detail}"
            return text_page(document, replace(view, page=None), note, parts=parts)
        around = [(box.x, box.y, box.width, box.height) for box in boxes]
        return sheet_page(document, view, around, parts=parts)


def text_page(
    document: Document,
    view: View = WHOLE,
    note: str = "",
    root: str = "../",
    parts: Sequence[str] = (),
) -> str:
    """Render the whole text as a complete HTML page.

    ``note`` is shown above it, and ``root`` is the relative path to the search page. ``parts`` are
    the ids of all parts of a long document, its own included.
    """
    sought = highlights.anywhere(view.find)
    places = [one.start() for one in sought.finditer(document.text)][:MOST_FOUND]
    blocks = list(_blocks(document, view, sought))
    runs = [run for one in blocks for run in (*one.before, *one.inside, *one.after)]
    return render(
        "text",
        document=document,
        view=view,
        root=root,
        steps=_part_steps(document, view, parts),
        other_view=_printed(document, view),
        alone=replace(view, pane=False),
        note=_count_matches(len(places)) if view.find.strip() else note,
        blocks=blocks,
        answer_at=next((run.start for run in runs if run.answer), None),
        word_at=next((one.start for run in runs for one in run.pieces if one.word), None),
        ticks=_ticks(document, view, places),
    )


def sheet_page(
    document: Document,
    view: View,
    boxes: Sequence[tuple[float, float, float, float]],
    parts: Sequence[str] = (),
) -> str:
    """Render the PDF page ``view.page`` as a complete HTML page with an image.

    ``boxes`` surround the answer: left, top, width and height as fractions of the page. ``parts``
    are the ids of all parts of a long document, its own included.
    """
    return render(
        "sheet",
        document=document,
        view=view,
        root="../",
        steps=_page_steps(document, view, parts),
        other_view=replace(view, page=None) if document.pages else None,
        alone=replace(view, pane=False),
        boxes=boxes,
    )


def _printed(document: Document, view: View) -> View | None:
    """The rendered page on which the answer or the passage begins; None if there are no pages."""
    if not document.pages:
        return None
    place = view.answer or view.passage
    page = bisect_right([span.start for span in document.pages], place[0]) if place else 1
    return replace(view, page=max(page, 1), find="")


def _part_steps(document: Document, view: View, parts: Sequence[str]) -> Steps | None:
    """The previous and the next part; None for a document with a single part."""
    if len(parts) < 2:  # noqa: PLR2004 (not split)
        return None
    here = parts.index(document.id)
    elsewhere = replace(view, passage=None, answer=None, others=())
    return Steps(
        elsewhere.address(parts[here - 1]) if here else "",
        f"Part {here + 1} of {len(parts)}",
        elsewhere.address(parts[here + 1]) if here + 1 < len(parts) else "",
    )


def _page_steps(document: Document, view: View, parts: Sequence[str]) -> Steps:
    """The previous and the next page; the next one may be in the next part."""
    number, last = view.page or 1, len(document.pages)
    of: str | None = document.id
    if number >= last:
        of = next(iter(parts[parts.index(document.id) + 1 :]), None) if parts else None
    return Steps(
        replace(view, page=number - 1).address(document.id) if number > 1 else "",
        f"page {_label(document, number)} / {last}",
        replace(view, page=number + 1).address(of) if of else "",
    )


def _label(document: Document, number: int) -> str:
    label = document.page_labels[number - 1] if document.page_labels else str(number)
    return label if label == str(number) else f"{label} ({number})"


def _ticks(document: Document, view: View, places: Sequence[int]) -> list[tuple[str, float]]:
    """Where hits and matches are along the scroll bar, in thousandths of the text."""
    length = len(document.text)
    answers = [view.answer[0]] if view.answer else []
    kinds = (("answer", answers), ("other", [one[0] for one in view.others]), ("found", places))
    return [(kind, 1000 * at / length) for kind, starts in kinds for at in starts if at < length]


def _blocks(document: Document, view: View, sought: highlights.Words) -> Iterator[Block]:
    text, page = document.text, 0
    begins = [span.start for span in document.pages]
    levels = {heading.span.start: heading.level for heading in document.headings}
    for block in highlights.paragraphs(text):
        level = levels.get(block[0])
        if level is not None and text[slice(*block)] == document.title:
            continue  # already shown above the text
        number = bisect_right(begins, block[1] - 1)
        folio = _label(document, number) if number > page else ""
        page = max(number, page)
        before, inside, after = (
            highlights.runs(text, part, view.answer, sought)
            for part in highlights.around(block, view.passage)
        )
        lined = "lines" if highlights.lined(text[slice(*block)]) else ""
        classes = " ".join(filter(None, (lined, "in-passage" if inside else "")))
        tag = "p" if level is None else f"h{min(level + 1, 6)}"
        yield Block(tag, classes, folio, before, inside, after)


def _format_range(one: Range | None) -> str:
    return f"{one[0]}-{one[1]}" if one else ""


def _parse_range(text: str) -> Range | None:
    found = re.fullmatch(r"([0-9]{1,15})-([0-9]{1,15})", text)
    if not found:
        return None
    start, end = map(int, found.groups())
    return (start, end) if start < end else None


def _count_matches(number: int) -> str:
    if number == 0:
        return "Not in this text."
    return "Once in this text." if number == 1 else f"{number:,} times in this text."


def _up_to(length: int, text: str) -> str:
    return text if len(text) <= length else ""
