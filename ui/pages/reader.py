"""The reading page: a document with one passage highlighted. Pure, without scripts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ui import strings
from ui.pages import highlights
from ui.pages.view_parameters import NOTHING, Sight
from ui.templates import render

if TYPE_CHECKING:
    from rag import Document
    from ui.pages.highlights import Run

MOST_FOUND = 500
"""Maximum number of highlighted matches; beyond that highlights are useless."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or heading: its text before, inside and after the passage.

    ``folio`` is the label of the page that begins with it; empty if none does.
    """

    tag: str
    classes: str
    folio: str
    before: Sequence[Run]
    inside: Sequence[Run]
    after: Sequence[Run]


@dataclass(frozen=True, slots=True)
class Steps:
    """Where the reader is among the pages or parts of a document, and the addresses of the previous
    and the next one, relative to the search page; empty if there is none.
    """

    before: str
    here: str
    after: str


def text_page(
    document: Document,
    sight: Sight = NOTHING,
    note: str = "",
    root: str = "../",
    parts: Sequence[str] = (),
) -> str:
    """Render the whole text as a complete HTML page.

    ``note`` is shown above it, and ``root`` is the relative path to the search page. ``parts`` are
    the ids of all parts of a long document, its own included.
    """
    sought = highlights.anywhere(sight.find)
    places = [one.start() for one in sought.finditer(document.text)][:MOST_FOUND]
    blocks = list(_blocks(document, sight, sought))
    runs = [run for one in blocks for run in (*one.before, *one.inside, *one.after)]
    return render(
        "text",
        document=document,
        sight=sight,
        root=root,
        steps=_part_steps(document, sight, parts),
        other_view=_printed(document, sight),
        alone=replace(sight, pane=False),
        note=strings.found_in(len(places)) if sight.find.strip() else note,
        blocks=blocks,
        answer_at=next((run.start for run in runs if run.answer), None),
        word_at=next((one.start for run in runs for one in run.pieces if one.word), None),
        ticks=_ticks(document, sight, places),
    )


def sheet_page(
    document: Document,
    sight: Sight,
    boxes: Sequence[tuple[float, float, float, float]],
    root: str = "../",
    parts: Sequence[str] = (),
) -> str:
    """Render the PDF page ``sight.page`` as a complete HTML page with an image.

    ``boxes`` surround the answer: left, top, width and height as fractions of the page. ``parts``
    are the ids of all parts of a long document, its own included.
    """
    return render(
        "sheet",
        document=document,
        sight=sight,
        root=root,
        steps=_page_steps(document, sight, parts),
        other_view=replace(sight, page=None) if document.pages else None,
        alone=replace(sight, pane=False),
        boxes=boxes,
    )


def missing(root: str = "/") -> str:
    """The 404 page; ``root`` is the relative path to the search page."""
    return _message(strings.MISSING, strings.MISSING_HELP, root)


def gone(beginning: str, root: str = "") -> str:
    """The page for a citation whose sentence no longer exists."""
    return _message(strings.GONE, strings.GONE_HELP, root, beginning)


def problem(line: str, root: str = "/") -> str:
    """The page for an error of the library or a file; ``line`` says what to do."""
    return _message(strings.PROBLEM, strings.sentence(line), root)


def _message(heading: str, line: str, root: str, quotation: str = "") -> str:
    return render("message", heading=heading, line=line, root=root, quotation=quotation)


def _printed(document: Document, sight: Sight) -> Sight | None:
    """The rendered page on which the answer or the passage begins; None if there are no pages."""
    if not document.pages:
        return None
    place = sight.answer or sight.passage
    page = bisect_right([span.start for span in document.pages], place[0]) if place else 1
    return replace(sight, page=max(page, 1), find="")


def _part_steps(document: Document, sight: Sight, parts: Sequence[str]) -> Steps | None:
    """The previous and the next part; None for a document with a single part."""
    if len(parts) < 2:  # noqa: PLR2004 (not split)
        return None
    here = parts.index(document.id)
    elsewhere = replace(sight, passage=None, answer=None, others=())
    return Steps(
        elsewhere.address(parts[here - 1]) if here else "",
        strings.PART.format(number=here + 1, count=len(parts)),
        elsewhere.address(parts[here + 1]) if here + 1 < len(parts) else "",
    )


def _page_steps(document: Document, sight: Sight, parts: Sequence[str]) -> Steps:
    """The previous and the next page; the next one may be in the next part."""
    number, last = sight.page or 1, len(document.pages)
    of: str | None = document.id
    if number >= last:
        of = next(iter(parts[parts.index(document.id) + 1 :]), None) if parts else None
    return Steps(
        replace(sight, page=number - 1).address(document.id) if number > 1 else "",
        f"{strings.PAGE} {_label(document, number)} / {last}",
        replace(sight, page=number + 1).address(of) if of else "",
    )


def _label(document: Document, number: int) -> str:
    label = document.page_labels[number - 1] if document.page_labels else str(number)
    return label if label == str(number) else f"{label} ({number})"


def _ticks(document: Document, sight: Sight, places: Sequence[int]) -> list[tuple[str, float]]:
    """Where hits and matches are along the scroll bar, in thousandths of the text."""
    length = len(document.text)
    answers = [one[0] for one in (sight.answer,) if one]
    others = [one[0] for one in sight.others]
    kinds = (("answer", answers), ("other", others), ("found", places))
    return [(kind, 1000 * at / length) for kind, starts in kinds for at in starts if at < length]


def _blocks(document: Document, sight: Sight, sought: highlights.Words) -> Iterator[Block]:
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
            highlights.runs(text, part, sight.answer, sought)
            for part in highlights.around(block, sight.passage)
        )
        lined = "lines" if highlights.lined(text[slice(*block)]) else ""
        yield Block(
            "p" if level is None else f"h{min(level + 1, 6)}",
            " ".join(filter(None, (lined, "in-passage" if inside else ""))),
            folio,
            before,
            inside,
            after,
        )
