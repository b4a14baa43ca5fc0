"""Citations: permalinks, and quotations in several formats, with their routes.

Pure except for :func:`add_routes`. Nothing here reveals where a file is on this machine.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from fastapi.exceptions import HTTPException
from fastapi.responses import HTMLResponse

from rag import Citation, DocumentNotFound, Quote, cited, file_name
from ui import strings
from ui.pages import reader
from ui.pages.permalink import lasting_link
from ui.pages.view_parameters import Sight
from ui.security import origin

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag import Document, Library

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


@dataclass(frozen=True, slots=True)
class Reference:
    """The bibliographic data of a document; ``page`` is the printed page number, if known."""

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


def plain(quotation: str, of: Reference, link: str) -> str:
    """One line: “…” Author, Title, 5 March 2025, p. 3. Link."""
    said = [of.author, of.title, strings.day(of.day) if of.day else "", _short(of)]
    return f"“{_line(quotation)}” {', '.join(filter(None, said))}. {link}"


def markdown(quotation: str, of: Reference, link: str) -> str:
    """A Markdown block quotation with a linked source."""
    title = re.sub(r"([\\`*_\[\]<>])", r"\\\1", of.title)
    said = [of.author, f"[*{title}*]({link})", strings.day(of.day) if of.day else "", _short(of)]
    return f"> {_line(quotation)}\n>\n> — {', '.join(filter(None, said))}"


def apa(quotation: str, of: Reference) -> str:
    """The quotation with an in-text citation, and the reference list entry (APA, 7th edition)."""
    year = str(of.day.year) if of.day else strings.NO_DATE
    where = f", {_short(of)}" if of.page else ""
    short = of.author or f"“{of.title}”"
    when = f"{of.day.year}, {strings.MONTHS[of.day.month - 1]} {of.day.day}" if of.day else year
    entry = f"{of.author}. ({when}). {of.title}." if of.author else f"{of.title}. ({when})."
    return f"“{_line(quotation)}” ({short}, {year}{where}).\n\n{entry}"


def bibtex(of: Reference) -> str:
    """A BibTeX entry; the key is the first word of the author or the title, and the year."""
    first = re.search(r"[a-z0-9]+", (of.author.split(",")[0] or of.title).casefold())
    key = f"{first.group() if first else 'document'}{of.day.year if of.day else ''}"
    fields = {
        "title": f"{{{_latex(of.title)}}}",
        "author": f"{{{_latex(of.author)}}}" if of.author else "",
        "year": f"{{{of.day.year}}}" if of.day else "",
        "month": strings.MONTHS[of.day.month - 1][:3].lower() if of.day else "",
        "howpublished": f"{{{_latex(of.file)}}}",
        "note": f"{{{_latex(_short(of))}}}" if of.page else "",
    }
    lines = "".join(f"  {name} = {value},\n" for name, value in fields.items() if value)
    return f"@misc{{{key},\n{lines}}}"


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the routes that resolve a permalink and that format a citation."""

    @app.get("/documents/{document_id}/citation")
    def citation(document_id: str, start: int, end: int, base: str = "") -> dict[str, str]:
        try:
            document = library.document(document_id)
        except DocumentNotFound as error:
            raise HTTPException(404) from error
        if not 0 <= start < end <= len(document.text):
            raise HTTPException(404)
        quotation = document.text[start:end]
        link = base + lasting_link(cited(document_id, Quote(quotation, start, end)))
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
    ) -> HTMLResponse:
        found = library.follow(Citation(document, start, end, digest, beginning))
        if found.document_id is None or found.quote is None:
            page = reader.gone(beginning)
            return HTMLResponse(page, status_code=404, headers=origin.STILL)
        sight = Sight(answer=(found.quote.start, found.quote.end))
        shown = library.document(found.document_id)
        page = reader.text_page(shown, sight, strings.FOLLOWED[found.state], root="")
        return HTMLResponse(page, headers=origin.STILL)


def _page(document: Document, start: int) -> str:
    index = next((i for i, one in enumerate(document.pages) if one.start <= start < one.end), None)
    if index is None:
        return ""
    return document.page_labels[index] if document.page_labels else str(index + 1)


def _short(of: Reference) -> str:
    return f"p. {of.page}" if of.page else ""


def _line(text: str) -> str:
    return " ".join(text.split())


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
