"""HTML that the reading page, the documents page and the page of similar passages share."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from ui import strings
from ui.pages import highlights

if TYPE_CHECKING:
    import datetime as dt


def lines(paragraph: str) -> str:
    """The class attribute of a paragraph whose line breaks are preserved; otherwise empty."""
    return ' class="lines"' if highlights.lined(paragraph) else ""


def neighbours_address(passage_id: str) -> str:
    """The address of a passage's neighbours, relative to the search page."""
    return f"insight/passages/{quote(passage_id, safe='')}"


def date(day: dt.date | None, origin: str | None = None) -> str:
    """A date in words and machine-readable; a file's modification time is labelled as such."""
    if day is None:
        return ""
    time = f'<time datetime="{day.isoformat()}">{strings.day(day)}</time>'
    return f"<span>{strings.FILE_OF} {time}</span>" if origin == "file time" else time
