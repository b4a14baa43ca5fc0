"""The documents of a library → a page to look through them on. Pure, and whole without a script.

The script ``library.js`` adds what changes something: it starts index jobs, tells how far they
are, and takes documents out. Its texts come with the page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args
from urllib.parse import quote, urlencode

from ui import reader, render, words

if TYPE_CHECKING:
    from rag import DocumentSummary, Failure

ROWS = 50
"""Documents on a page."""

MOST_UNREAD = 200
"""Lines on what could not be read that a page has; the rest are counted."""

UNREAD_OPEN = 3
"""So many of them stand there at once; more are folded away."""

Sort: TypeAlias = Literal["newest", "oldest", "title", "source", "passages"]
"""An order of documents, as :meth:`rag.Library.documents` has them."""

_SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which documents are listed, and how, as an address says it.

    ``title`` are words in the title, and ``type`` is the ending of the file's name, ``.pdf`` say;
    empty is no condition. ``page`` counts from 1.
    """

    sort: Sort = "newest"
    title: str = ""
    type: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Listing:
        """That of an address; what makes no sense there is as good as none."""
        page = query.get("page", "")
        return cls(
            sort=next((one for one in _SORTS if one == query.get("sort")), "newest"),
            title=query.get("title", "").strip(),
            type=query.get("type", "").strip(),
            page=max(int(page), 1) if re.fullmatch(r"[0-9]{1,9}", page) else 1,
        )

    @property
    def address(self) -> str:
        """Where it is seen, relative to the page where questions are asked."""
        fields = {
            "sort": "" if self.sort == "newest" else self.sort,
            "title": self.title,
            "type": self.type,
            "page": "" if self.page == 1 else str(self.page),
        }
        given = {name: value for name, value in fields.items() if value}
        return f"library?{urlencode(given)}" if given else "library"

    def within(self, total: int) -> Listing:
        """The same, on the last page if so many documents don't reach as far as its own."""
        return replace(self, page=min(self.page, _pages(total)))


@dataclass(frozen=True, slots=True)
class Row:
    """A document in the table; ``pages`` is 0, and ``language`` empty, where there is none."""

    summary: DocumentSummary
    language: str = ""
    pages: int = 0


@dataclass(frozen=True, slots=True)
class Contents:
    """What there is to show.

    ``held`` counts the documents of the library, ``total`` those that meet the conditions, and
    ``rows`` are those of the page. ``types`` counts documents by the endings of their files.
    ``unread`` says what of the files could not be read, and why.
    """

    held: int
    total: int
    rows: tuple[Row, ...]
    types: Mapping[str, int]
    unread: tuple[Failure, ...] = ()


def page(listing: Listing, contents: Contents, *, may_change: bool) -> str:
    """The whole page; without ``may_change`` it says why nothing can be changed there."""
    changing = _adding() if may_change else f'<p class="note">{words.DOCUMENTS_READ_ONLY}</p>'
    asking = _asking() if may_change else ""
    return reader.shell(
        words.DOCUMENTS,
        f'<nav aria-label="{words.READING}"><a class="back" href=".">{words.TO_SEARCH}</a></nav>'
        f'<div class="library" data-texts="{escape(json.dumps(words.DOCUMENTS_TOLD))}">'
        f"<h1>{words.DOCUMENTS}</h1>{changing}{_filter(listing, contents)}"
        f"{_listed(listing, contents, may_change=may_change)}{asking}</div>",
        root="",
    )


def _adding() -> str:
    """The field for what to index, and the place and the shape of jobs."""
    return (
        '<section class="adding"><form id="index">'
        f'<label for="path">{words.DOCUMENTS_ADD}</label>'
        '<input id="path" name="path" required maxlength="4096" autocomplete="off"'
        f' autocapitalize="off" spellcheck="false" placeholder="{words.DOCUMENTS_PATH}"'
        f' pattern="(/|~|[A-Za-z]:).*" title="{words.DOCUMENTS_PATH_HELP}">'
        f'<button type="submit">{words.DOCUMENTS_INDEX}</button></form>'
        f'<noscript><p class="note">{words.DOCUMENTS_NO_SCRIPT}</p></noscript>'
        '<p class="said" role="status"></p><div id="jobs"></div>'
        '<template id="job"><section class="job"><p class="names"></p>'
        f'<button type="button" class="cancel">{words.DOCUMENTS_CANCEL}</button>'
        f'<p class="state" role="status"></p><progress aria-label="{words.DOCUMENTS_PROGRESS}">'
        '</progress><p class="numbers"></p><details><summary></summary><ul></ul></details>'
        '</section></template></section><script type="module" src="library.js"></script>'
    )


def _asking() -> str:
    """What is asked before a document goes."""
    return (
        '<dialog id="removing" aria-labelledby="removing-what"><form method="dialog">'
        f'<h2 id="removing-what"></h2><p>{words.DOCUMENTS_REMOVE_HELP}</p><p class="choices">'
        f'<button value="" autofocus>{words.DOCUMENTS_KEEP}</button>'
        f'<button value="remove" class="strong">{words.DOCUMENTS_REMOVE}</button></p>'
        "</form></dialog>"
    )


def _filter(listing: Listing, contents: Contents) -> str:
    """Words in the title, and the type; the order stays as it was."""
    if not contents.held:
        return '<div id="filter"></div>'
    choices = "".join(
        f'<option value="{escape(ending)}"{" selected" if ending == listing.type else ""}>'
        f"{escape(words.COUNTED.format(name=ending.removeprefix('.'), count=number))}</option>"
        for ending, number in contents.types.items()
    )
    return (
        '<form id="filter" role="search" action="library">'
        f'<input type="hidden" name="sort" value="{listing.sort}">'
        f'<label>{words.DOCUMENTS_TITLED}<input type="search" name="title" maxlength="500"'
        f' value="{escape(listing.title)}"></label>'
        f'<label>{words.TYPE}<select name="type"><option value="">{words.ANY}</option>{choices}'
        f'</select></label><button type="submit">{words.DOCUMENTS_SHOW}</button></form>'
    )


def _listed(listing: Listing, contents: Contents, *, may_change: bool) -> str:
    """All that a job or a removal may change: the table, and what could not be read."""
    if contents.rows:
        body = _table(listing, contents, may_change=may_change) + _turning(listing, contents.total)
    elif contents.held:
        body = (
            f'<p class="none">{words.DOCUMENTS_NONE_FIT} '
            f'<a href="library">{words.DOCUMENTS_ALL}</a></p>'
        )
    else:
        help_ = words.DOCUMENTS_EMPTY if may_change else words.EMPTY_HELP
        command = "" if may_change else f"<p><code>{words.EMPTY_COMMAND}</code></p>"
        body = f'<div class="notice empty"><p><b>{words.EMPTY}</b></p><p>{help_}</p>{command}</div>'
    return (
        '<section id="listing" aria-labelledby="listed">'
        f'<h2 id="listed" tabindex="-1">{_counted(listing, contents)}</h2>{body}'
        f"{_unread(contents)}</section>"
    )


def _counted(listing: Listing, contents: Contents) -> str:
    documents = words.count(contents.total, "document")
    if contents.total <= ROWS:
        return documents
    first = (listing.page - 1) * ROWS + 1
    return words.DOCUMENTS_OF.format(
        first=first, last=first + len(contents.rows) - 1, documents=documents
    )


def _table(listing: Listing, contents: Contents, *, may_change: bool) -> str:
    heads = (
        _head(listing, words.DOCUMENTS_TITLE, "", ascending="title"),
        _head(listing, words.DOCUMENTS_FILE, "file", ascending="source"),
        _head(listing, words.TYPE, "type"),
        _head(listing, words.DOCUMENTS_DATE, "date", ascending="oldest", descending="newest"),
        _head(listing, words.LANGUAGE, "language"),
        _head(listing, words.DOCUMENTS_PAGES, "pages number"),
        _head(listing, words.DOCUMENTS_PASSAGES, "passages number", descending="passages"),
        f'<th scope="col"><span class="unseen">{words.DOCUMENTS_REMOVE}</span></th>'
        if may_change
        else "",
    )
    rows = "".join(_row(row, may_change=may_change) for row in contents.rows)
    return (
        f'<table aria-labelledby="listed"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _head(
    listing: Listing,
    name: str,
    kind: str,
    ascending: Sort | None = None,
    descending: Sort | None = None,
) -> str:
    """The head of a column: what leads to the rows in its order, or in the other."""
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
    file = render.file_name(one.source)
    title = escape(one.title)
    texts = (
        ("file", escape(file)),
        ("type", escape(PurePosixPath(file).suffix.lower().removeprefix("."))),
        ("date", render.date(one.date, one.date_from)),
        ("language", escape(row.language)),
        ("pages number", f"{row.pages:,}" if row.pages else ""),
        ("passages number", f"{one.passages:,}"),
    )
    cells = "".join(f'<td class="{kind}">{text}</td>' for kind, text in texts)
    name = escape(words.DOCUMENTS_REMOVE_THIS.format(title=one.title))
    remove = (
        f'<td><button type="button" class="remove" value="{escape(one.id)}"'
        f' data-title="{title}" aria-label="{name}" title="{name}">&times;</button></td>'
    )
    href = escape(f"documents/{quote(one.id, safe='')}")
    return (
        f'<tr><th scope="row"><a href="{href}">{title}</a></th>'
        f"{cells}{remove if may_change else ''}</tr>"
    )


def _turning(listing: Listing, total: int) -> str:
    """To the page before and the page after."""
    last = _pages(total)
    if last == 1:
        return ""
    before, after = (
        f'<a rel="{rel}" href="{escape(replace(listing, page=to).address)}">{name}</a>'
        if 1 <= to <= last
        else f'<span aria-hidden="true">{name}</span>'
        for rel, to, name in (
            ("prev", listing.page - 1, words.BEFORE),
            ("next", listing.page + 1, words.AFTER),
        )
    )
    here = words.DOCUMENTS_PAGE.format(page=listing.page, last=last)
    return (
        f'<nav class="pages" aria-label="{words.DOCUMENTS_PAGES}">{before}<span>{here}</span>'
        f"{after}</nav>"
    )


def _unread(contents: Contents) -> str:
    found = contents.unread
    if not found:
        return ""
    lines = "".join(
        f"<li><b>{escape(render.file_name(one.source))}</b> {escape(words.sentence(one.reason))}"
        "</li>"
        for one in found[:MOST_UNREAD]
    )
    left = len(found) - MOST_UNREAD
    more = f"<p>{words.DOCUMENTS_UNREAD_MORE.format(count=left)}</p>" if left > 0 else ""
    return (
        f'<details class="unread"{" open" if len(found) <= UNREAD_OPEN else ""}>'
        f"<summary>{words.DOCUMENTS_UNREAD.format(count=len(found))}</summary>"
        f"<ul>{lines}</ul>{more}</details>"
    )


def _pages(total: int) -> int:
    """How many pages so many documents fill; an empty one, if there are none."""
    return max(-(-total // ROWS), 1)
