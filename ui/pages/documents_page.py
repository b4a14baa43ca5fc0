"""The page that lists the documents of a library, readable without scripts.

``library.js`` adds everything that changes something: uploads, index jobs with their progress, and
removal.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import NamedTuple, get_args
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from rag import Collection, DocumentSummary, Failure, Filter, Library, file_name
from ui import strings
from ui.api.schemas import Sort
from ui.security import headers, policy
from ui.templates import render
from ui.uploads import MOST_BYTES

ROWS = 50
"""Documents per page."""

MOST_UNREAD = 200
"""Maximum number of unreadable files that are listed; the rest are counted."""

UNREAD_OPEN = 3
"""The number of them shown initially; the rest are collapsed."""

HEADERS = headers.SCRIPTED | {
    "cache-control": "no-store"
}  # the back button shows the current state


@dataclass(frozen=True, slots=True)
class Listing:
    """The filters, sort order and page of the document list, as in the page's address.

    ``title`` are words in the title, ``type`` is the file extension, such as ``.pdf``, and
    ``collection`` a name; empty means no filter. ``page`` counts from 1.
    """

    sort: Sort = "newest"
    title: str = ""
    type: str = ""
    collection: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Listing:
        """Parse an address; invalid values are ignored."""
        page = query.get("page", "")
        return cls(
            sort=next((one for one in get_args(Sort) if one == query.get("sort")), "newest"),
            title=query.get("title", "").strip(),
            type=query.get("type", "").strip(),
            collection=query.get("in", "").strip(),
            page=max(int(page), 1) if re.fullmatch(r"[0-9]{1,9}", page) else 1,
        )

    @property
    def address(self) -> str:
        """The address, relative to the search page."""
        fields = {
            "sort": "" if self.sort == "newest" else self.sort,
            "title": self.title,
            "type": self.type,
            "in": self.collection,
            "page": "" if self.page == 1 else str(self.page),
        }
        query = urlencode({name: value for name, value in fields.items() if value})
        return f"library{query and f'?{query}'}"

    def turned(self, page: int) -> Listing:
        """The same list at another page."""
        return replace(self, page=page)

    @property
    def filter(self) -> Filter:
        """The documents to list."""
        return Filter(
            source=f"*{self.type}" if self.type else None,
            title=self.title or None,
            collections=(self.collection,) if self.collection else (),
        )


class Row(NamedTuple):
    """A document in the table; ``doubts`` lists what was not read, or not reliably."""

    summary: DocumentSummary
    doubts: Sequence[str] = ()

    @property
    def type(self) -> str:
        """The file extension, without its dot."""
        file = PurePosixPath(file_name(self.summary.source))
        return file.suffix.lower().removeprefix(".")


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of the page.

    ``read`` is when it was read from the library, in UTC. ``held`` is the number of documents in
    the library, ``total`` the number that match the filters, and ``rows`` are those on this page.
    ``types`` counts documents by file extension. ``unread`` lists what could not be read, and why.
    """

    read: dt.datetime
    held: int
    total: int
    rows: Sequence[Row]
    types: Mapping[str, int]
    collections: Sequence[Collection] = ()
    unread: Sequence[Failure] = ()


class Column(NamedTuple):
    """A column header: its text and class, where it leads to sort by it (empty if it doesn't), and
    how it is sorted now: ``ascending``, ``descending`` or empty.
    """

    name: str
    kind: str
    href: str = ""
    order: str = ""


def add_routes(app: FastAPI, library: Library) -> None:
    """Add the documents page; owners can index and remove there."""

    @app.get("/library")
    def documents_page(request: Request) -> HTMLResponse:
        read = dt.datetime.now(dt.UTC)
        listing = Listing.of(request.query_params)
        total = library.count_documents(listing.filter)
        listing = listing.turned(min(listing.page, _pages(total)))
        offset = (listing.page - 1) * ROWS
        found = library.documents(ROWS, listing.filter, offset=offset, order=listing.sort)
        failures, doubts = library.unread()
        reasons = {one.source: one.reason for one in failures}
        contents = Contents(
            read=read,
            held=library.count_documents(),
            total=total,
            rows=[
                Row(one, (*one.warnings, *filter(None, [reasons.get(one.source)]))) for one in found
            ],
            types=library.facets().types,
            collections=library.collections(),
            unread=(*failures, *doubts),
        )
        may_change = policy.principal_of(request.scope).may_change
        return HTMLResponse(page(listing, contents, may_change=may_change), headers=HEADERS)


def page(listing: Listing, contents: Contents, *, may_change: bool) -> str:
    """Render the page; without ``may_change`` it explains why nothing can be changed."""
    return render(
        "documents",
        root="",
        listing=listing,
        contents=contents,
        may_change=may_change,
        columns=_columns(listing),
        counted=_counted(listing, contents),
        last=_pages(contents.total),
        most_unread=MOST_UNREAD,
        unread_open=UNREAD_OPEN,
        most_bytes=MOST_BYTES,
    )


def _columns(listing: Listing) -> Sequence[Column]:
    def by(
        name: str, kind: str, ascending: Sort | None = None, descending: Sort | None = None
    ) -> Column:
        """A column that sorts: by ``descending`` first if it can, and the other way if it is sorted
        so already.
        """
        to, order = descending or ascending or listing.sort, ""
        if listing.sort in (ascending, descending):
            order = "ascending" if listing.sort == ascending else "descending"
            to = (descending if listing.sort == ascending else ascending) or to
        return Column(name, kind, replace(listing, sort=to, page=1).address, order)

    return (
        by("Title", "", "title"),
        by("File", "file", "source"),
        Column(strings.TYPE, "type"),
        by("Date", "date", "oldest", "newest"),
        by(strings.LANGUAGE, "language", "language"),
        by("Pages", "pages number", None, "pages"),
        by("Passages", "passages number", None, "passages"),
        Column("Status", "status"),
    )


def _counted(listing: Listing, contents: Contents) -> str:
    """How many documents match, and which of them are shown if not all."""
    documents = strings.count(contents.total, "document")
    if contents.total <= ROWS:
        return documents
    first = (listing.page - 1) * ROWS + 1
    return f"{first:,} to {first + len(contents.rows) - 1:,} of {documents}"


def _pages(total: int) -> int:
    """The number of pages; at least one."""
    return max(-(-total // ROWS), 1)
