"""Document → a page to read it on, with one passage shown. Pure, and free of scripts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ui import strings
from ui.pages import hit_html, markup
from ui.pages.view_parameters import NOTHING, Sight

if TYPE_CHECKING:
    from rag import Document
    from ui.pages.markup import Range

MOST_FOUND = 500
"""Places of a word that are marked; a page with more is no longer read but counted."""


def text_page(
    document: Document,
    sight: Sight = NOTHING,
    note: str = "",
    root: str = "../",
    parts: Sequence[str] = (),
) -> str:
    """The whole text as a complete HTML page.

    ``note`` is said above it, and ``root`` leads from there to where questions are asked. ``parts``
    are the ids of the parts that a long document is in, its own among them.
    """
    whole = (0, len(document.text))
    answer = markup.overlap(whole, sight.answer)
    passage = markup.overlap(whole, sight.passage)
    sought = markup.anywhere(sight.find)
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
    """One page of a PDF as it is printed, as a complete HTML page.

    ``boxes`` lie around the answer: left, top, width and height as shares of the page's. ``parts``
    are the ids of the parts that a long document is in, its own among them.
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
    """The page for an address that leads nowhere; ``root`` leads to where questions are asked."""
    return _notice(strings.MISSING, strings.MISSING_HELP, root)


def gone(beginning: str, root: str = "") -> str:
    """The page for a citation of which nothing is left."""
    quotation = f"<blockquote>{escape(beginning)}</blockquote>"
    return _notice(strings.GONE, strings.GONE_HELP, root, quotation)


def problem(line: str, root: str = "/") -> str:
    """The page for trouble with the library or a file; ``line`` says what to do."""
    return _notice(strings.PROBLEM, strings.sentence(line), root)


def shell(title: str, body: str, root: str = "../", *, pane: bool = False, head: str = "") -> str:
    """A complete HTML page in the page's look; ``pane`` leaves room for the button that closes.

    ``head`` is more for the page's head, as HTML.
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
    """What can be done here: back, the other view, find, the file itself; what is to be said."""
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
    """From the text to the printed page, where there is one, and back."""
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
    """Out of the pane, onto a page of its own."""
    if not sight.pane:
        return ""
    href = root + replace(sight, pane=False).address(document.id)
    return f'<a target="_top" href="{escape(href)}#answer">{strings.ALONE}</a>'


def _finder(sight: Sight) -> str:
    """A field for words to find in the text."""
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
    """To the part before and the part after; nothing for a document that is in one."""
    if len(parts) < 2:  # noqa: PLR2004 (one is no part)
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
    """To the page before and the page after, which may be in the next part."""

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
        f"<span>{escape(hit_html.file_name(document.source))}</span>",
    )
    kept = "".join(fact for fact in facts if fact and fact != "<span></span>")
    return f'<header><h1>{escape(document.title)}</h1><div class="facts">{kept}</div></header>'


def _ticks(document: Document, sight: Sight, places: Sequence[int]) -> str:
    """Along the edge, where in the text the hits and the words that were looked for stand."""
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
    document: Document, passage: Range | None, answer: Range | None, sought: markup.Words
) -> str:
    begins = [span.start for span in document.pages]
    levels = {heading.span.start: heading.level for heading in document.headings}
    pieces, page = [], 0
    for block in markup.paragraphs(document.text):
        level = levels.get(block[0])
        if level is not None and document.text[slice(*block)] == document.title:
            continue  # it stands above the text already
        number = bisect_right(begins, block[1] - 1)
        if number > page:
            pieces.append(f'<p class="folio">{strings.PAGE} {_label(document, number)}</p>')
            page = number
        tag = "p" if level is None else f"h{min(level + 1, 6)}"
        parts = [
            markup.marked(document.text, part, answer, sought, target="answer")
            for part in markup.around(block, passage)
        ]
        classes = ["lines"] if markup.lined(document.text[slice(*block)]) else []
        pieces.append(_block(tag, classes, *parts))
    # Escaped text has no such tag in it.
    return "".join(pieces).replace('<span class="word">', '<span class="word" id="found">', 1)


def _block(tag: str, classes: list[str], before: str, inside: str, after: str) -> str:
    if inside:
        classes = [*classes, "in-passage"]
        inside = f'<span class="passage">{inside}</span>'
    named = f' class="{" ".join(classes)}"' if classes else ""
    return f"<{tag}{named}>{before}{inside}{after}</{tag}>"
