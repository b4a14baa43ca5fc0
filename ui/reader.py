"""Document → a page to read it on, with one passage highlighted. Pure, and free of scripts."""

from __future__ import annotations

from bisect import bisect_right
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ui import marking, render, words

if TYPE_CHECKING:
    from rag import Document
    from ui.marking import Range


def page(
    document: Document,
    passage: Range | None = None,
    answer: Range | None = None,
    question: str = "",
) -> str:
    """The whole article as a complete HTML page.

    ``passage`` and ``answer`` are ranges of ``document.text``; what lies outside the text is
    clamped, and an empty range is ignored. ``question`` is where the link back leads.
    """
    whole = (0, len(document.text))
    shown, answered = marking.overlap(whole, passage), marking.overlap(whole, answer)
    jump = f'<a class="jump" href="#answer">{words.TO_PASSAGE}</a>' if answered else ""
    back = f"../?{urlencode({'q': question})}" if question.strip() else "../"
    label = words.BACK if question.strip() else words.TO_SEARCH
    return shell(
        document.title,
        f'<nav><a class="back" href="{escape(back)}">{label}</a>{jump}</nav>'
        f"<article><header><h1>{escape(document.title)}</h1>{_facts(document)}</header>"
        f'<div class="text">{_text(document, shown, answered)}</div></article>',
    )


def missing() -> str:
    """The page for an address that leads nowhere."""
    return shell(
        words.MISSING,
        f'<section class="notice missing"><h1>{words.MISSING}</h1><p>{words.MISSING_HELP}</p>'
        f'<p><a class="back" href="/">{words.TO_SEARCH}</a></p></section>',
        style="/style.css",
    )


def shell(title: str, body: str, style: str = "../style.css") -> str:
    """A complete HTML page in the page's look."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="{style}">'
        f'</head><body class="reader"><main>{body}</main></body></html>'
    )


def _facts(document: Document) -> str:
    facts = (
        render.date(document.date),
        f"<span>{escape(render.file_name(document.source))}</span>",
    )
    return f'<div class="facts">{"".join(fact for fact in facts if fact)}</div>'


def _text(document: Document, passage: Range | None, answer: Range | None) -> str:
    begins = [span.start for span in document.pages]
    levels = {heading.span.start: heading.level for heading in document.headings}
    pieces, page = [], 0
    for block in marking.paragraphs(document.text):
        level = levels.get(block[0])
        if level is not None and document.text[slice(*block)] == document.title:
            continue  # it stands above the text already
        number = bisect_right(begins, block[1] - 1)
        if number > page:
            pieces.append(f'<p class="folio">{words.PAGE} {number}</p>')
            page = number
        tag = "p" if level is None else f"h{min(level + 1, 6)}"
        pieces.append(_block(tag, document.text, block, passage, answer))
    return "".join(pieces)


def _block(tag: str, text: str, block: Range, passage: Range | None, answer: Range | None) -> str:
    parts = marking.around(block, passage)
    before, inside, after = (marking.marked(text, part, answer, target="answer") for part in parts)
    if not inside:
        return f"<{tag}>{before}{after}</{tag}>"
    return f'<{tag} class="in-passage">{before}<span class="passage">{inside}</span>{after}</{tag}>'
