"""Texts that several pages share, and how dates, counts and shares are written.

A text that stands in one place is written there: in its template, or where it is sent.
"""

from __future__ import annotations

import datetime as dt

TITLE = "Ask your documents"
PROMISE = "Every answer is a sentence from your own articles, word for word."
STARTING = "Starting: this takes a few seconds. You can already type your question."

QUESTION = "Your question"
PLACEHOLDER = "Ask a question"
TYPE = "Type"
LANGUAGE = "Language"
ANY = "any"
COUNTED = "{name} ({count:,})"
SEARCH = "Search"

EMPTY = "Nothing is indexed yet"
EMPTY_HELP = "Tell rag where your articles are, then reload this page:"
EMPTY_COMMAND = "rag index PATH"

OVERLOADED = "The server is busy; try again in a moment"
PROBLEM = "That did not work"

MISSING = "There is no such page"

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def day(date: dt.date) -> str:
    """Format a date regardless of locale: ``5 March 2025``."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def sentence(line: str) -> str:
    """Turn an error message into a full sentence."""
    whole = line[:1].upper() + line[1:]
    return whole if whole.endswith((".", "!", "?", "”", '"')) else f"{whole}."


def count(number: int, thing: str) -> str:
    """Format a count: ``1 article``, ``1,216 articles``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def percent(share: float) -> str:
    """Format a probability: ``87 %``; never 0 % or 100 %."""
    if share < 0.01:  # noqa: PLR2004
        return "below 1 %"
    return "above 99 %" if share > 0.99 else f"{round(100 * share)} %"  # noqa: PLR2004


def ordinal(rank: int) -> str:
    """Format an ordinal: ``1st``, ``12th``, ``23rd``."""
    teen = rank % 100 in (11, 12, 13)
    return f"{rank}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th')}"
