"""The page that lists the documents of a library. Pure, and readable without scripts.

``library.js`` adds everything that changes something: uploads, index jobs with their progress, and
removal. Its texts are embedded in the page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from ui import strings
from ui.pages import insight_strings, reader
from ui.pages.documents_table import ROWS, Listing, Row, table, turning
from ui.uploads import MOST_BYTES

if TYPE_CHECKING:
    from rag import Failure

MOST_UNREAD = 200
"""Maximum number of unreadable files that are listed; the rest are counted."""

UNREAD_OPEN = 3
"""The number of them shown initially; the rest are collapsed."""


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


def page(listing: Listing, contents: Contents, *, may_change: bool) -> str:
    """Render the page; without ``may_change`` it explains why nothing can be changed."""
    changing = _adding() if may_change else f'<p class="note">{strings.DOCUMENTS_READ_ONLY}</p>'
    asking = _asking() if may_change else ""
    return reader.shell(
        strings.DOCUMENTS,
        f'<nav aria-label="{strings.READING}">'
        f'<a class="back" href=".">{strings.TO_SEARCH}</a>'
        f'<a href="insight">{insight_strings.INSIGHT}</a></nav>'
        f'<div class="library" data-texts="{escape(json.dumps(strings.DOCUMENTS_TOLD))}">'
        f"<h1>{strings.DOCUMENTS}</h1>{changing}{_filter(listing, contents)}"
        f"{_listed(listing, contents, may_change=may_change)}{asking}</div>",
        root="",
    )


def _adding() -> str:
    """The forms to index a path or upload files, and the placeholder and template for jobs."""
    return (
        '<section class="adding"><form id="index">'
        f'<label for="path">{strings.DOCUMENTS_ADD}</label>'
        '<input id="path" name="path" required maxlength="4096" autocomplete="off"'
        f' autocapitalize="off" spellcheck="false" placeholder="{strings.DOCUMENTS_PATH}"'
        f' pattern="(/|~|[A-Za-z]:).*" title="{strings.DOCUMENTS_PATH_HELP}">'
        f'<button type="submit" disabled>{strings.DOCUMENTS_INDEX}</button>'
        f'<p class="choosing">{strings.DOCUMENTS_DROP} <input type="file" id="files" multiple>'
        f'<label for="files">{strings.DOCUMENTS_CHOOSE}</label></p></form>'
        f'<noscript><p class="note">{strings.DOCUMENTS_NO_SCRIPT}</p></noscript>'
        '<p class="said" role="status"></p>'
        f'<section id="sending" data-most="{MOST_BYTES}" hidden>'
        '<p class="state" role="status"></p><button type="button">'
        f"{strings.DOCUMENTS_STOP}</button>"
        f'<ul tabindex="0" aria-label="{strings.DOCUMENTS_SENT}"></ul></section>'
        '<div id="jobs"></div>'
        '<template id="job"><section class="job"><p class="names"></p>'
        f'<button type="button" class="cancel">{strings.DOCUMENTS_CANCEL}</button>'
        f'<p class="state" role="status"></p><progress aria-label="{strings.DOCUMENTS_PROGRESS}">'
        '</progress><p class="numbers"></p><details><summary></summary><ul></ul></details>'
        '</section></template></section><script type="module" src="library.js"></script>'
    )


def _asking() -> str:
    """The dialog that confirms a removal, the message after it, and the drop area."""
    return (
        f'<div id="told"><p role="status"></p><button type="button" hidden'
        f' aria-keyshortcuts="Control+Z Meta+Z">{strings.DOCUMENTS_UNDO}</button></div>'
        f'<p id="dropping" aria-hidden="true" hidden>{strings.DOCUMENTS_DROP_HERE}</p>'
        '<dialog id="removing" aria-labelledby="removing-what"><form method="dialog">'
        f'<h2 id="removing-what"></h2><p>{strings.DOCUMENTS_REMOVE_HELP}</p><p class="choices">'
        f'<button value="" autofocus>{strings.DOCUMENTS_KEEP}</button>'
        f'<button value="remove" class="strong">{strings.DOCUMENTS_REMOVE}</button></p>'
        "</form></dialog>"
    )


def _filter(listing: Listing, contents: Contents) -> str:
    """The filter form: words in the title, and file type; the sort order is kept."""
    if not contents.held:
        return '<div id="filter"></div>'
    choices = "".join(
        f'<option value="{escape(ending)}"{" selected" if ending == listing.type else ""}>'
        f"{escape(strings.COUNTED.format(name=ending.removeprefix('.'), count=number))}</option>"
        for ending, number in contents.types.items()
    )
    return (
        '<form id="filter" role="search" action="library">'
        f'<input type="hidden" name="sort" value="{listing.sort}">'
        f'<label>{strings.DOCUMENTS_TITLED}<input type="search" name="title" maxlength="500"'
        f' value="{escape(listing.title)}"></label>'
        f'<label>{strings.TYPE}<select name="type"><option value="">{strings.ANY}</option>{choices}'
        f'</select></label><button type="submit">{strings.DOCUMENTS_SHOW}</button></form>'
    )


def _listed(listing: Listing, contents: Contents, *, may_change: bool) -> str:
    """The part that jobs and removals refresh: the table, and what could not be read."""
    if contents.rows:
        body = table(listing, contents.rows, may_change=may_change)
        body += turning(listing, contents.total)
    elif contents.held:
        body = (
            f'<p class="none">{strings.DOCUMENTS_NONE_FIT} '
            f'<a href="library">{strings.DOCUMENTS_ALL}</a></p>'
        )
    else:
        help_ = strings.DOCUMENTS_EMPTY if may_change else strings.EMPTY_HELP
        command = "" if may_change else f"<p><code>{strings.EMPTY_COMMAND}</code></p>"
        body = (
            f'<div class="notice empty"><p><b>{strings.EMPTY}</b></p><p>{help_}</p>{command}</div>'
        )
    return (
        '<section id="listing" aria-labelledby="listed">'
        f'<h2 id="listed" tabindex="-1">{_counted(listing, contents)}</h2>{body}'
        f"{_unread(contents)}</section>"
    )


def _counted(listing: Listing, contents: Contents) -> str:
    documents = strings.count(contents.total, "document")
    if contents.total <= ROWS:
        return documents
    first = (listing.page - 1) * ROWS + 1
    return strings.DOCUMENTS_OF.format(
        first=first, last=first + len(contents.rows) - 1, documents=documents
    )


def _unread(contents: Contents) -> str:
    found = contents.unread
    if not found:
        return ""
    lines = "".join(
        f"<li><b>{escape(strings.file_name(one.source))}</b> "
        f"{escape(strings.sentence(one.reason))}"
        "</li>"
        for one in found[:MOST_UNREAD]
    )
    left = len(found) - MOST_UNREAD
    more = f"<p>{strings.DOCUMENTS_UNREAD_MORE.format(count=left)}</p>" if left > 0 else ""
    return (
        f'<details class="unread"{" open" if len(found) <= UNREAD_OPEN else ""}>'
        f"<summary>{strings.DOCUMENTS_UNREAD.format(count=len(found))}</summary>"
        f"<ul>{lines}</ul>{more}</details>"
    )
