"""The reading page: a document with one passage highlighted. Pure, without scripts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ui import strings
from ui.pages import highlights, hit_html
from ui.pages.view_parameters import NOTHING, Sight

if TYPE_CHECKING:
    from rag import Document
    from ui.pages.highlights import Range

MOST_FOUND = 500
"""Maximum number of highlighted matches; beyond that highlights are useless."""


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
    whole = (0, len(document.text))
    answer = highlights.overlap(whole, sight.answer)
    passage = highlights.overlap(whole, sight.passage)
    sought = highlights.anywhere(sight.find)
    jump = f'<a class="jump" href="#answer">{strings.TO_PASSAGE}</a>' if answer else ""
    places = [one.start() for one in sought.finditer(document.text)][:MOST_FOUND]
    said = strings.found_in(len(places)) if sight.find.strip() else note
    return shell(
        document.title,
        f"{_bar(document, sight, root, _part_steps(document, sight, parts, root) + jump, said)}"
        f"<article>{_head(document)}"
        f'<div class="text">{_text(document, passage, answer, sought)}</div></article>'
        f"{_ticks(document, sight, places)}",
        root,
        pane=sight.pane,
    )


def sheet_page(
    document: Document,
    sight: Sight,
    boxes: Sequence[tuple[float, float, float, float]],
    root: str = "../",
    parts: Sequence[str] = (),
) -> str:
    """Render a PDF page as a complete HTML page with an image.

    ``boxes`` surround the answer: left, top, width and height as fractions of the page. ``parts``
    are the ids of all parts of a long document, its own included.
    """
    number = sight.page or 1
    image = f"{quote(document.id, safe='')}/pages/{number}.png?width=1400"
    rects = "".join(
        f'<rect x="{x:.5f}" y="{y:.5f}" width="{width:.5f}" height="{height:.5f}"/>'
        for x, y, width, height in boxes
    )
    steps = _steps(document, sight, number, root, parts)
    return shell(
        document.title,
        f"{_bar(document, sight, root, steps)}"
        f'<figure class="sheet" id="answer"><img src="{escape(image)}" '
        f'alt="{escape(strings.PAGE_OF.format(page=number, title=document.title))}">'
        f'<svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">{rects}</svg>'
        "</figure>",
        root,
        pane=sight.pane,
    )


def missing(root: str = "/") -> str:
    """The 404 page; ``root`` is the relative path to the search page."""
    return _notice(strings.MISSING, strings.MISSING_HELP, root)


def gone(beginning: str, root: str = "") -> str:
    """The page for a citation whose sentence no longer exists."""
    quotation = f"<blockquote>{escape(beginning)}</blockquote>"
    return _notice(strings.GONE, strings.GONE_HELP, root, quotation)


def problem(line: str, root: str = "/") -> str:
    """The page for an error of the library or a file; ``line`` says what to do."""
    return _notice(strings.PROBLEM, strings.sentence(line), root)


def shell(title: str, body: str, root: str = "../", *, pane: bool = False, head: str = "") -> str:
    """Wrap a body in a complete, styled HTML page; ``pane`` leaves room for the close button.

    ``head`` is additional HTML for the page's head.
    """
    looks = "reader pane" if pane else "reader"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'{head}<title>{escape(title)}</title><link rel="stylesheet" href="{root}style.css">'
        f'</head><body class="{looks}"><main>{body}</main></body></html>'
    )


def _notice(heading: str, line: str, root: str, more: str = "") -> str:
    return shell(
        heading,
        f'<section class="notice missing"><h1>{heading}</h1>{more}<p>{escape(line)}</p>'
        f'<p><a class="back" href="{root or "."}">{strings.TO_SEARCH}</a></p></section>',
        root,
    )


def _bar(document: Document, sight: Sight, root: str, more: str, said: str = "") -> str:
    """The toolbar: back, other view, find, original file; and a note."""
    asked = bool(sight.question.strip())
    query = f"?{urlencode({'q': sight.question})}" if asked else ""
    label = strings.BACK if asked else strings.TO_SEARCH
    back = f'<a class="back" href="{escape((root + query) or ".")}">{label}</a>'
    links = [
        "" if sight.pane else back,
        more,
        _other_view(document, sight, root),
        f'<a href="{root}documents/{quote(document.id, safe="")}/original">{strings.ORIGINAL}</a>',
        _alone(document, sight, root),
    ]
    return (
        f'<nav aria-label="{strings.READING}">{"".join(links)}{_finder(sight)}{_note(said)}</nav>'
    )


def _other_view(document: Document, sight: Sight, root: str) -> str:
    """The link from the text to the rendered page, if there is one, and back."""
    if not document.pages:
        return ""
    if sight.page is not None:
        other, name = replace(sight, page=None), strings.AS_TEXT
    else:
        begins = [span.start for span in document.pages]
        place = sight.answer or sight.passage
        here = max(bisect_right(begins, place[0]), 1) if place else 1
        other, name = replace(sight, page=here, find=""), strings.AS_PRINTED
    return f'<a href="{escape(root + other.address(document.id))}#answer">{name}</a>'


def _alone(document: Document, sight: Sight, root: str) -> str:
    """The link that opens the pane as a page of its own."""
    if not sight.pane:
        return ""
    href = root + replace(sight, pane=False).address(document.id)
    return f'<a target="_top" href="{escape(href)}#answer">{strings.ALONE}</a>'


def _finder(sight: Sight) -> str:
    """The field to find words in the text."""
    if sight.page is not None:
        return ""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in sight.fields()
        if value and name != "find"
    )
    return (
        f'<form role="search" action="#found">{hidden}<input type="search" name="find" '
        f'value="{escape(sight.find)}" placeholder="{strings.FIND}" '
        f'aria-label="{strings.FIND}"></form>'
    )


def _part_steps(document: Document, sight: Sight, parts: Sequence[str], root: str) -> str:
    """Links to the previous and next part; empty for a document with a single part."""
    if len(parts) < 2:  # noqa: PLR2004 (not split)
        return ""
    here = parts.index(document.id)
    elsewhere = replace(sight, passage=None, answer=None, others=())

    def link(other: int, name: str, arrow: str) -> str:
        if not 0 <= other < len(parts):
            return ""
        return _arrow(root + elsewhere.address(parts[other]), name, arrow)

    said = strings.PART.format(number=here + 1, count=len(parts))
    before = link(here - 1, strings.PART_BEFORE, "←")
    after = link(here + 1, strings.PART_AFTER, "→")
    return f'<span class="steps">{before}<span>{said}</span>{after}</span>'


def _steps(
    document: Document, sight: Sight, number: int, root: str, parts: Sequence[str] = ()
) -> str:
    """Links to the previous and next page, which may be in another part."""

    def link(other: int, name: str, arrow: str) -> str:
        after = parts[parts.index(document.id) + 1 :][:1] if parts else []
        of = document.id if other <= len(document.pages) else next(iter(after), "")
        if other < 1 or not of:
            return ""
        return _arrow(root + replace(sight, page=other).address(of), name, arrow)

    said = f"<span>{strings.PAGE} {_label(document, number)} / {len(document.pages)}</span>"
    before, after = link(number - 1, strings.BEFORE, "←"), link(number + 1, strings.AFTER, "→")
    return f'<span class="steps">{before}{said}{after}</span>'


def _arrow(href: str, name: str, arrow: str) -> str:
    return f'<a href="{escape(href)}" aria-label="{name}">{arrow}</a>'


def _label(document: Document, number: int) -> str:
    label = document.page_labels[number - 1] if document.page_labels else str(number)
    return escape(label) if label == str(number) else f"{escape(label)} ({number})"


def _note(said: str) -> str:
    return f'<p class="note" role="status">{escape(said)}</p>' if said else ""


def _head(document: Document) -> str:
    facts = (
        hit_html.date(document.date, document.metadata.get("date_from")),
        f"<span>{escape(document.metadata.get('author', ''))}</span>",
        f"<span>{escape(strings.file_name(document.source))}</span>",
    )
    kept = "".join(fact for fact in facts if fact and fact != "<span></span>")
    return f'<header><h1>{escape(document.title)}</h1><div class="facts">{kept}</div></header>'


def _ticks(document: Document, sight: Sight, places: Sequence[int]) -> str:
    """Marks along the scroll bar at the positions of hits and matches."""
    length = max(len(document.text), 1)
    marks = [("answer", one[0]) for one in (sight.answer,) if one and one[0] < length]
    marks += [("other", one[0]) for one in sight.others if one[0] < length]
    marks += [("found", place) for place in places]
    rects = "".join(
        f'<rect class="{kind}" x="0" y="{1000 * place / length:.1f}" width="1" height="4"/>'
        for kind, place in marks
    )
    if not rects:
        return ""
    return (
        '<svg class="ticks" viewBox="0 0 1 1004" preserveAspectRatio="none" aria-hidden="true">'
        f"{rects}</svg>"
    )


def _text(
    document: Document, passage: Range | None, answer: Range | None, sought: highlights.Words
) -> str:
    begins = [span.start for span in document.pages]
    levels = {heading.span.start: heading.level for heading in document.headings}
    pieces, page = [], 0
    for block in highlights.paragraphs(document.text):
        level = levels.get(block[0])
        if level is not None and document.text[slice(*block)] == document.title:
            continue  # already shown above the text
        number = bisect_right(begins, block[1] - 1)
        if number > page:
            pieces.append(f'<p class="folio">{strings.PAGE} {_label(document, number)}</p>')
            page = number
        tag = "p" if level is None else f"h{min(level + 1, 6)}"
        parts = [
            highlights.marked(document.text, part, answer, sought, target="answer")
            for part in highlights.around(block, passage)
        ]
        classes = ["lines"] if highlights.lined(document.text[slice(*block)]) else []
        pieces.append(_block(tag, classes, *parts))
    # Escaped text can't contain this tag.
    return "".join(pieces).replace('<span class="word">', '<span class="word" id="found">', 1)


def _block(tag: str, classes: list[str], before: str, inside: str, after: str) -> str:
    if inside:
        classes = [*classes, "in-passage"]
        inside = f'<span class="passage">{inside}</span>'
    named = f' class="{" ".join(classes)}"' if classes else ""
    return f"<{tag}{named}>{before}{inside}{after}</{tag}>"
