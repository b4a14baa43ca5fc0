"""Citations: permalinks, and quotations in several formats, with their routes.

Nothing here reveals where a file is on this machine.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Query
from fastapi.exceptions import HTTPException
from fastapi.responses import HTMLResponse, Response

from rag import Citation, Document, Library, Quote, cited, file_name
from ui import strings
from ui.pages import error_pages, reader
from ui.security import headers

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}
_FOLLOWED = {
    "unchanged": "The sentence is where it was when it was cited.",
    "moved": "The document has changed since; the sentence was found again, word for word.",
    "changed": "The document has changed since; this is the closest sentence.",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """The bibliographic data of a document; ``page`` is like ``p. 3``, or empty if unknown."""

    title: str
    author: str
    day: dt.date | None
    page: str
    file: str

    @classmethod
    def of(cls, document: Document, start: int) -> Reference:
        """Describe a document, with the page of the sentence at ``start``."""
        # A file's modification time is not a date of publication.
        dated = document.metadata.get("date_from") != "file time"
        return cls(
            title=document.title,
            author=document.metadata.get("author", ""),
            day=document.date if dated else None,
            page=_page(document, start),
            file=file_name(document.source),
        )


def permalink(citation: Citation) -> str:
    """The permalink to a sentence, relative to the search page."""
    query = {
        "document": citation.document_id,
        "start": citation.start,
        "end": citation.end,
        "hash": citation.digest,
        "words": citation.beginning,
    }
    return f"cite?{urlencode(query)}"


def plain(quotation: str, of: Reference, link: str) -> str:
    """One line: “…” Author, Title, 5 March 2025, p. 3. Link."""
    return f"“{_line(quotation)}” {_source(of, of.title)}. {link}"


def markdown(quotation: str, of: Reference, link: str) -> str:
    """A Markdown block quotation with a linked source."""
    title = re.sub(r"([\\`*_\[\]<>])", r"\\\1", of.title)
    return f"> {_line(quotation)}\n>\n> — {_source(of, f'[*{title}*]({link})')}"


def apa(quotation: str, of: Reference) -> str:
    """The quotation with an in-text citation, and the reference list entry (APA, 7th edition)."""
    year = str(of.day.year) if of.day else "n.d."
    when = f"{of.day.year}, {strings.MONTHS[of.day.month - 1]} {of.day.day}" if of.day else year
    short = ", ".join(filter(None, (of.author or f"“{of.title}”", year, of.page)))
    entry = f"{of.author}. ({when}). {of.title}." if of.author else f"{of.title}. ({when})."
    return f"“{_line(quotation)}” ({short}).\n\n{entry}"


def bibtex(of: Reference) -> str:
    """A BibTeX entry; the key is the first word of the author or the title, and the year."""
    first = re.search(r"[a-z0-9]+", (of.author.split(",")[0] or of.title).casefold())
    key = f"{first.group() if first else 'document'}{of.day.year if of.day else ''}"
    fields = {
        "title": of.title,
        "author": of.author,
        "year": str(of.day.year) if of.day else "",
        "month": strings.MONTHS[of.day.month - 1][:3].lower() if of.day else "",
        "howpublished": of.file,
        "note": of.page,
    }
    lines = (
        f"  {name} = {value if name == 'month' else f'{{{_latex(value)}}}'},\n"
        for name, value in fields.items()
        if value
    )
    return f"@misc{{{key},\n{''.join(lines)}}}"


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the routes that resolve a permalink and that format a citation."""

    @app.get("/documents/{document_id}/citation")
    def citation(document_id: str, start: int, end: int, base: str = "") -> dict[str, str]:
        document = library.document(document_id)
        if not 0 <= start < end <= len(document.text):
            raise HTTPException(404)
        quotation = document.text[start:end]
        link = base + permalink(cited(document_id, Quote(quotation, start, end)))
        reference = Reference.of(document, start)
        return {
            "markdown": markdown(quotation, reference, link),
            "plain": plain(quotation, reference, link),
            "apa": apa(quotation, reference),
            "bibtex": bibtex(reference),
            "link": link,
        }

    @app.get("/cite")
    def followed(
        document: str,
        start: Annotated[int, Query(ge=0)],
        end: Annotated[int, Query(ge=0)],
        digest: Annotated[str, Query(alias="hash")],
        beginning: Annotated[str, Query(alias="words")],
    ) -> Response:
        found = library.follow(Citation(document, start, end, digest, beginning))
        if found.document_id is None or found.quote is None:
            return error_pages.gone(beginning)
        view = reader.View(answer=(found.quote.start, found.quote.end))
        shown = library.document(found.document_id)
        page = reader.text_page(shown, view, _FOLLOWED[found.state], root="")
        return HTMLResponse(page, headers=headers.STILL)


def _page(document: Document, start: int) -> str:
    index = next((i for i, one in enumerate(document.pages) if one.start <= start < one.end), None)
    if index is None:
        return ""
    return f"p. {document.page_labels[index] if document.page_labels else index + 1}"


def _source(of: Reference, title: str) -> str:
    said = (of.author, title, strings.day(of.day) if of.day else "", of.page)
    return ", ".join(filter(None, said))


def _line(text: str) -> str:
    return " ".join(text.split())


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
