"""The search page without results: the first view, and every other state."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from ui import strings
from ui.pages import hit_html
from ui.security import messages

if TYPE_CHECKING:
    from rag import DocumentSummary


def foot(visitor: str = "", address: str | None = None) -> str:
    """The footer; for a ``visitor`` who is logged in, with their name and the logout link.

    ``address`` is the query string of the current view, for ``asked.js``; None if not yet known.
    """
    account = messages.LOGGED_IN.format(name=escape(visitor))
    shown = "" if address is None else f' data-address="{escape(address)}"'
    way_out = f'<p><a href="login">{account}</a></p>' if visitor else ""
    return f"<p{shown}>{strings.PRIVATE}</p>{way_out}"


def masthead(articles: int, newest: DocumentSummary | None) -> str:
    """The page header: title, what is indexed, and the link to the documents."""
    facts = [strings.count(articles, "article")] if articles else []
    if newest is not None and newest.date is not None and newest.date_from != "file time":
        facts.append(f"{'newest ' if articles > 1 else ''}from {hit_html.date(newest.date)}")
    told = f"<span>{', '.join(facts)}</span>" if facts else ""
    line = f'<p class="indexed">{told}<a href="library">{strings.DOCUMENTS}</a></p>'
    return (
        f'<header class="masthead"><h1><a href=".">{strings.TITLE}</a></h1>'
        f"<p>{strings.PROMISE}</p>{line}</header>"
    )


def untrained(note: str) -> str:
    """A warning about languages that the model was not trained on, with advice; empty without a
    ``note``.
    """
    return f'<p class="untrained">{escape(note)}</p>' if note else ""


def asked_before() -> str:
    """The list of this session's questions, filled by ``asked.js`` and hidden while empty."""
    return (
        f'<nav class="asked newest" aria-label="{strings.ASKED}" hidden><h2>{strings.ASKED}</h2>'
        f'<ul></ul><button type="button">{strings.FORGET}</button></nav>'
    )


def first(newest: Sequence[DocumentSummary]) -> str:
    """The first view: the newest articles, linked to the reading page."""
    items = "".join(
        f'<li><a href="{escape("documents/" + quote(summary.id, safe=""))}">'
        f"{escape(summary.title)}</a>"
        f"<span>{hit_html.date(summary.date, summary.date_from)}</span></li>"
        for summary in newest
    )
    return f'<section class="newest"><h2>{strings.NEWEST}</h2><ul>{items}</ul></section>'


def empty() -> str:
    """The library is empty."""
    command = f"<p><code>{strings.EMPTY_COMMAND}</code></p>"
    return _notice("empty", strings.EMPTY, strings.EMPTY_HELP, command)


def hint() -> str:
    """The question was empty."""
    return _notice("hint", strings.NO_QUESTION, strings.NO_QUESTION_HELP)


def nothing(reading: str = "") -> str:
    """No passage was found; ``reading`` is the interpretation of the question, as HTML."""
    return _notice("nothing", strings.NOTHING, strings.NOTHING_HELP, reading)


def nothing_left(reading: str = "") -> str:
    """No passage matches the filters; ``reading`` is as for :func:`nothing`."""
    return _notice("nothing", strings.NOTHING, strings.NOTHING_LEFT, reading)


def problem(line: str) -> str:
    """An error; ``line`` says what is wrong, and what to do."""
    return _notice("problem", strings.PROBLEM, strings.sentence(line))


def _notice(kind: str, heading: str, line: str, more: str = "") -> str:
    return f'<section class="notice {kind}"><h2>{heading}</h2><p>{escape(line)}</p>{more}</section>'
