"""The table of documents: filters, sort order, paging and rows. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args
from urllib.parse import quote, urlencode

from ui import strings
from ui.pages import hit_html

if TYPE_CHECKING:
    from rag import DocumentSummary

ROWS = 50
"""Documents per page."""

Sort: TypeAlias = Literal["newest", "oldest", "title", "source", "language", "pages", "passages"]
"""Sort orders of :meth:`rag.Library.documents`."""

_SORTS: tuple[Sort, ...] = get_args(Sort)

_AGAIN = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M20 12a8 8 0 1 1-2.4-5.7M20 3v5h-5"/>'
    "</svg>"
)


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

    def within(self, total: int) -> Listing:
        """Clamp the page to the last one, given the total number of documents."""
        return replace(self, page=min(self.page, _pages(total)))


@dataclass(frozen=True, slots=True)
class Row:
    """A document in the table; ``doubts`` lists what was not read, or not reliably."""

    summary: DocumentSummary
    doubts: tuple[str, ...] = ()


def table(listing: Listing, rows: Sequence[Row], *, may_change: bool) -> str:
    """Render the rows below sortable column headers; with ``may_change``, each has buttons to
    reindex and remove it.
    """
    heads = (
        _head(listing, strings.DOCUMENTS_TITLE, "", ascending="title"),
        _head(listing, strings.DOCUMENTS_FILE, "file", ascending="source"),
        _head(listing, strings.TYPE, "type"),
        _head(listing, strings.DOCUMENTS_DATE, "date", ascending="oldest", descending="newest"),
        _head(listing, strings.LANGUAGE, "language", ascending="language"),
        _head(listing, strings.DOCUMENTS_PAGES, "pages number", descending="pages"),
        _head(listing, strings.DOCUMENTS_PASSAGES, "passages number", descending="passages"),
        _head(listing, strings.DOCUMENTS_STATUS, "status"),
        f'<th scope="col"><span class="unseen">{strings.DOCUMENTS_CHANGE}</span></th>'
        if may_change
        else "",
    )
    body = "".join(_row(row, may_change=may_change) for row in rows)
    return (
        f'<table aria-labelledby="listed"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def turning(listing: Listing, total: int) -> str:
    """Render the links to the previous and the next page."""
    last = _pages(total)
    if last == 1:
        return ""
    before, after = (
        f'<a rel="{rel}" href="{escape(replace(listing, page=to).address)}">{name}</a>'
        if 1 <= to <= last
        else f'<span aria-hidden="true">{name}</span>'
        for rel, to, name in (
            ("prev", listing.page - 1, strings.BEFORE),
            ("next", listing.page + 1, strings.AFTER),
        )
    )
    here = strings.DOCUMENTS_PAGE.format(page=listing.page, last=last)
    return (
        f'<nav class="pages" aria-label="{strings.DOCUMENTS_PAGES}">{before}<span>{here}</span>'
        f"{after}</nav>"
    )


def _head(
    listing: Listing,
    name: str,
    kind: str,
    ascending: Sort | None = None,
    descending: Sort | None = None,
) -> str:
    """Render a column header that links to its sort order, or to the reverse."""
    to = descending or ascending
    if to is None:
        return f'<th scope="col" class="{kind}">{name}</th>'
    sorted_ = ""
    if listing.sort in (ascending, descending):
        up = listing.sort == ascending
        sorted_ = f' aria-sort="{"ascending" if up else "descending"}"'
        to = (descending if up else ascending) or to
    href = escape(replace(listing, sort=to, page=1).address)
    return f'<th scope="col" class="{kind}"{sorted_}><a href="{href}">{name}</a></th>'


def _row(row: Row, *, may_change: bool) -> str:
    one = row.summary
    file = strings.file_name(one.source)
    texts = (
        ("file", escape(file)),
        ("type", escape(PurePosixPath(file).suffix.lower().removeprefix("."))),
        ("date", hit_html.date(one.date, one.date_from)),
        ("language", escape(one.language or "")),
        ("pages number", f"{one.pages:,}" if one.pages else ""),
        ("passages number", f"{one.passages:,}"),
        ("status", _status(row.doubts)),
    )
    cells = "".join(f'<td class="{kind}">{text}</td>' for kind, text in texts)
    href = escape(f"documents/{quote(one.id, safe='')}")
    return (
        f'<tr data-id="{escape(one.id)}"><th scope="row"><a href="{href}">{escape(one.title)}</a>'
        f"</th>{cells}{_changing(one) if may_change else ''}</tr>"
    )


def _status(doubts: Sequence[str]) -> str:
    """Render a document's status: indexed, or its warnings, collapsed."""
    if not doubts:
        return strings.DOCUMENTS_READ
    lines = "".join(f"<li>{escape(strings.sentence(line))}</li>" for line in doubts)
    return f"<details><summary>{strings.DOCUMENTS_DOUBTS}</summary><ul>{lines}</ul></details>"


def _changing(one: DocumentSummary) -> str:
    """Render the buttons to reindex and to remove a document."""
    buttons = "".join(
        f'<button type="button" class="{kind}" value="{escape(one.id)}"'
        f' data-title="{escape(one.title)}" aria-label="{name}" title="{name}">{sign}</button>'
        for kind, name, sign in (
            ("again", escape(strings.DOCUMENTS_AGAIN_THIS.format(title=one.title)), _AGAIN),
            ("remove", escape(strings.DOCUMENTS_REMOVE_THIS.format(title=one.title)), "&times;"),
        )
    )
    return f'<td class="changing">{buttons}</td>'


def _pages(total: int) -> int:
    """The number of pages; at least one."""
    return max(-(-total // ROWS), 1)
