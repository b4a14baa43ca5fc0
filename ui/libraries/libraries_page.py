"""The page that lists a server's libraries. Pure, without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from ui import strings
from ui.libraries import library_strings as told
from ui.ops import public_errors
from ui.pages import hit_html, reader

if TYPE_CHECKING:
    from rag import Shelved

LONGEST_NAME = 64
"""Input length limit of the fields; the shelf validates the name."""


def address(name: str) -> str:
    """A library's path relative to the list of libraries."""
    return f"libraries/{quote(name, safe='')}/"


def way_back(name: str) -> str:
    """The link from a library's page back to the list; empty if it is the only one."""
    if not name:
        return ""
    return (
        f'<span class="shelved"><a href="../../">{told.LIBRARIES}</a> <bdi>{escape(name)}</bdi>'
        "</span>"
    )


def page(
    libraries: Sequence[Shelved], *, may_change: bool, trouble: str = "", given: str = ""
) -> str:
    """Render the page; without ``may_change`` it explains why nothing can be changed.

    ``trouble`` is why the last change failed, and ``given`` the name that was entered for a new
    library.
    """
    changing = _creating(given) if may_change else f'<p class="note">{told.READ_ONLY}</p>'
    said = f'<p class="said trouble" role="alert">{escape(strings.sentence(trouble))}</p>'
    listed = (
        _table(libraries, may_change=may_change) if libraries else _empty(may_change=may_change)
    )
    return reader.shell(
        told.LIBRARIES,
        f'<div class="library shelf"><header class="masthead"><h1>{told.LIBRARIES}</h1>'
        f"<p>{told.ABOUT}</p></header>{changing}{said if trouble else ''}{listed}</div>",
        root="",
        # Under “no-referrer” browsers send no origin with a form, and it would be refused.
        head='<meta name="referrer" content="same-origin">',
    )


def missing(name: str, to: str = "", root: str = "/") -> str:
    """The 404 page for a library; ``to`` is its new name, if known."""
    if to:
        return _notice(told.RENAMED.format(name=name, to=to), told.RENAMED_HELP, root)
    return _notice(told.NO_SUCH.format(name=name), told.NO_SUCH_HELP, root)


def nothing(root: str = "/") -> str:
    """The 404 page for any other address."""
    return _notice(strings.MISSING, strings.MISSING_HELP, root)


def trouble(name: str, reason: str, root: str = "/") -> str:
    """The page for a library that can't be opened."""
    return _notice(name, strings.sentence(told.CANT_OPEN.format(reason=reason)), root)


def _notice(heading: str, line: str, root: str) -> str:
    return reader.shell(
        heading,
        f'<section class="notice missing"><h1>{escape(heading)}</h1><p>{escape(line)}</p>'
        f'<p><a class="back" href="{escape(root)}">{told.TO_SHELF}</a></p></section>',
        root,
    )


def _creating(given: str) -> str:
    return (
        '<form id="create" method="post" action="./"><label for="name">'
        f'{told.NEW}</label><input id="name" name="name" required maxlength="{LONGEST_NAME}"'
        f' autocomplete="off" placeholder="{told.NEW_NAME}" value="{escape(given)}">'
        f'<button type="submit">{told.CREATE}</button></form>'
    )


def _table(libraries: Sequence[Shelved], *, may_change: bool) -> str:
    change = f'<th scope="col"><span class="unseen">{told.CHANGE}</span></th>'
    heads = "".join(
        f'<th scope="col" class="{kind}">{name}</th>'
        for kind, name in (
            ("", told.NAME),
            ("documents number", strings.DOCUMENTS),
            ("passages number", strings.DOCUMENTS_PASSAGES),
            ("date", told.NEWEST),
        )
    )
    rows = "".join(_row(one, may_change=may_change) for one in libraries)
    return (
        f'<table aria-label="{told.LIBRARIES}"><thead><tr>{heads}{change if may_change else ""}'
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(one: Shelved, *, may_change: bool) -> str:
    name = f"<bdi>{escape(one.name)}</bdi>"
    if one.trouble is not None:
        reason = strings.sentence(
            told.CANT_OPEN.format(reason=public_errors.public_message(one.trouble))
        )
        span = 4 if may_change else 3
        return (
            f'<tr><th scope="row">{name}</th>'
            f'<td class="trouble" colspan="{span}">{escape(reason)}</td></tr>'
        )
    change = f'<td class="changing">{_renaming(one.name)}</td>' if may_change else ""
    return (
        f'<tr><th scope="row"><a href="{escape(address(one.name))}">{name}</a></th>'
        f'<td class="documents number">{one.documents:,}</td>'
        f'<td class="passages number">{one.passages:,}</td>'
        f'<td class="date">{hit_html.date(one.newest)}</td>{change}</tr>'
    )


def _renaming(name: str) -> str:
    label = escape(told.RENAME_THIS.format(name=name))
    return (
        f'<details><summary aria-label="{label}">{told.RENAME}</summary>'
        '<form method="post" action="./">'
        f'<input type="hidden" name="library" value="{escape(name)}">'
        f'<input name="name" required maxlength="{LONGEST_NAME}" value="{escape(name)}"'
        f' autocomplete="off" aria-label="{escape(told.NEW_NAME_OF.format(name=name))}">'
        f'<button type="submit">{told.RENAME}</button></form></details>'
    )


def _empty(*, may_change: bool) -> str:
    line = told.EMPTY_HELP if may_change else ""
    return f'<div class="notice empty"><p><b>{told.EMPTY}</b></p><p>{line}</p></div>'
