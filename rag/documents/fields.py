"""Interpret named fields as metadata: front matter, field lists, the fields of a record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from rag.documents.dates import parse_date
from rag.documents.whitespace import one_line
from rag.types.parts import READ_AS

# In each list the first non-empty field wins, whatever its case.
_DATE = (
    *("date", "published", "published_at", "publishedat", "publication_date", "datepublished"),
    *("date_published", "publishdate", "publish_date", "pubdate", "pub_date", "created"),
    *("created_at", "createdat", "timestamp", "time"),
)
_AUTHOR = ("author", "authors", "creator", "byline", "by")
_LANGUAGE = ("language", "lang", "locale")

_OURS = frozenset({"title_from", "author_from", "date_from", "language_from", READ_AS})
"""Reserved metadata names for the origins of facts; a file's field of that name is renamed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Title and date, None if no field has them, and all other fields as metadata, including
    ``author`` and ``language`` and the origin of each of the four.
    """

    title: str | None
    date: dt.date | None
    metadata: Mapping[str, str]


def facts(fields: Mapping[str, object], titles: tuple[str, ...] = ("title",)) -> Facts:
    """Interpret ``fields``; ``titles`` are the names of possible title fields, in lower case.

    A date that is not a single day stays in the metadata, under its own name.
    """
    names = by_lower_case(fields)
    texts = {
        key: words for key, value in fields.items() if (words := one_line(format_value(value)))
    }

    def first(wanted: tuple[str, ...]) -> str:
        return next((names[name] for name in wanted if names.get(name) in texts), "")

    dates = {names[name]: parse_date(fields[names[name]]) for name in _DATE if name in names}
    dated = next((key for key, date in dates.items() if date), "")
    used = {"title": first(titles), "author": first(_AUTHOR), "language": first(_LANGUAGE)}
    metadata = {
        _is_foreign(one_line(key)): words
        for key, words in texts.items()
        if key not in (dated, *used.values())
    }
    for name in ("author", "language"):
        if used[name]:
            metadata[name] = texts[used[name]]
    origins = {**used, "date": dated}
    metadata |= {f"{name}_from": "file" for name, key in origins.items() if key}
    return Facts(texts.get(used["title"]), dates.get(dated), metadata)


def by_lower_case(fields: Mapping[str, object]) -> dict[str, str]:
    """Map lower-case field names to their original spelling; the first of duplicates wins."""
    names: dict[str, str] = {}
    for name in fields:
        names.setdefault(name.lower(), name)
    return names


def format_value(value: object) -> str:
    """Format a scalar, or a list of scalars joined; empty for anything nested deeper.

    An object, such as an author with an address, is represented by its name.
    """
    if isinstance(value, list):
        return ", ".join(filter(None, map(_format_scalar, value)))
    return _format_scalar(value)


def _format_scalar(value: object) -> str:
    return scalar(value.get("name") if isinstance(value, dict) else value)


def scalar(value: object) -> str:
    """Format a string, number, date or boolean; empty for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, str | int | float) else ""


def _is_foreign(name: str) -> str:
    return f"{name}_" if name in _OURS else name
