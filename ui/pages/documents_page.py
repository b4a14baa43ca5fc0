"""The page that lists the documents of a library. Pure, and readable without scripts.

``library.js`` adds everything that changes something: uploads, index jobs with their progress, and
removal. Its texts are embedded in the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args
from urllib.parse import urlencode

from rag import file_name
from ui import strings
from ui.pages import insight_strings
from ui.templates import render
from ui.uploads import MOST_BYTES

if TYPE_CHECKING:
    from rag import DocumentSummary, Failure

ROWS = 50
"""Documents per page."""

MOST_UNREAD = 200
"""Maximum number of unreadable files that are listed; the rest are counted."""

UNREAD_OPEN = 3
"""The number of them shown initially; the rest are collapsed."""

Sort: TypeAlias = Literal["newest", "oldest", "title", "source", "language", "pages", "passages"]
"""Sort orders of :meth:`rag.Library.documents`."""

_SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class Listing:
    """The filters, sort order and page of the document list, as in the page's address.

    ``title`` are words in the title, and ``type`` is the file extension, such as ``.pdf``; empty
    means no filter. ``page`` counts from 1.
    """

    sort: Sort = "newest"
    title: str = ""
    type: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Listing:
        """Parse an address; invalid values are ignored."""
        page = query.get("page", "")
        return cls(
            sort=next((one for one in _SORTS if one == query.get("sort")), "newest"),
            title=query.get("title", "").strip(),
            type=query.get("type", "").strip(),
            page=max(int(page), 1) if re.fullmatch(r"[0-9]{1,9}", page) else 1,
        )

    @property
    def address(self) -> str:
        """The address, relative to the search page."""
        fields = {
            "sort": "" if self.sort == "newest" else self.sort,
            "title": self.title,
            "type": self.type,
            "page": "" if self.page == 1 else str(self.page),
        }
        given = {name: value for name, value in fields.items() if value}
        return f"library?{urlencode(given)}" if given else "library"

    def turned(self, page: int) -> Listing:
        """The same list at another page."""
        return replace(self, page=page)

    def within(self, total: int) -> Listing:
        """Clamp the page to the last one, given the total number of documents."""
        return self.turned(min(self.page, _pages(total)))


@dataclass(frozen=True, slots=True)
class Row:
    """A document in the table; ``doubts`` lists what was not read, or not reliably."""

    summary: DocumentSummary
    doubts: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """The file extension, without its dot."""
        file = PurePosixPath(file_name(self.summary.source))
        return file.suffix.lower().removeprefix(".")


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of the page.

    ``held`` is the number of documents in the library, ``total`` the number that match the filters,
    and ``rows`` are those on this page. ``types`` counts documents by file extension. ``unread``
    lists what could not be read, and why.
    """

    held: int
    total: int
    rows: tuple[Row, ...]
    types: Mapping[str, int]
    unread: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column header: its text and class, where it leads to sort by it (empty if it doesn't), and
    how it is sorted now: ``ascending``, ``descending`` or empty.
    """

    name: str
    kind: str
    href: str = ""
    order: str = ""


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
        texts=json.dumps(strings.DOCUMENTS_TOLD),
        insight=insight_strings,
    )


def _columns(listing: Listing) -> tuple[Column, ...]:
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
        by(strings.DOCUMENTS_TITLE, "", "title"),
        by(strings.DOCUMENTS_FILE, "file", "source"),
        Column(strings.TYPE, "type"),
        by(strings.DOCUMENTS_DATE, "date", "oldest", "newest"),
        by(strings.LANGUAGE, "language", "language"),
        by(strings.DOCUMENTS_PAGES, "pages number", None, "pages"),
        by(strings.DOCUMENTS_PASSAGES, "passages number", None, "passages"),
        Column(strings.DOCUMENTS_STATUS, "status"),
    )


def _counted(listing: Listing, contents: Contents) -> str:
    """How many documents match, and which of them are shown if not all."""
    documents = strings.count(contents.total, "document")
    if contents.total <= ROWS:
        return documents
    first = (listing.page - 1) * ROWS + 1
    return strings.DOCUMENTS_OF.format(
        first=first, last=first + len(contents.rows) - 1, documents=documents
    )


def _pages(total: int) -> int:
    """The number of pages; at least one."""
    return max(-(-total // ROWS), 1)
