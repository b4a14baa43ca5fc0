"""Filters that limit a search to some documents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, TypedDict

from rag.errors import InputError
from rag.runtime.settings import MAX_FILTER_LENGTH


class FilterConditions(TypedDict, total=False):
    """The fields of a :class:`Filter` as keyword arguments."""

    since: dt.date | None
    until: dt.date | None
    source: str | None
    title: str | None
    language: str | None
    where: Mapping[str, str] | None
    collections: Sequence[str]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions on a document, all of which must hold; None or empty means no condition.

    ``since`` and ``until`` bound its date, both inclusive. A document whose date is only the time
    of its file (``date_from`` in its metadata) doesn't match, unless ``where`` asks for a
    ``date_from``. ``source`` is a pattern with ``*`` and ``?`` for the path of one of its sources,
    or for the end of it, with the case of A to Z ignored: ``*.pdf``, ``letters/*``. ``title`` is a
    case-insensitive substring of its title. ``language`` is a code such as ``en``. ``where`` are
    metadata values, which must be equal. Equivalent Unicode forms of a letter compare equal.
    ``collections`` are names: one of its sources must lie in one of these collections, or in one of
    the ``folders``, which are absolute paths or URLs, also of a file that holds others.

    Raises InputError if a value has more than ``MAX_FILTER_LENGTH`` characters.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    title: str | None = None
    language: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    collections: Sequence[str] = ()
    folders: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.collections, str) or not isinstance(self.collections, Iterable):
            raise InputError(f"collections are a list of names: [{self.collections!r}]")
        values = (self.source, self.title, self.language, *chain(*self.where.items()))
        if any(len(value) > MAX_FILTER_LENGTH for value in values if value):
            raise InputError(
                f"a condition may have up to {MAX_FILTER_LENGTH} characters; use a shorter one"
            )

    @classmethod
    def of(cls, filter: Filter | None, conditions: FilterConditions) -> Filter:
        """Combine a filter with keyword arguments, which override its fields."""
        changes: dict[str, Any] = {**conditions}
        if "where" in changes:
            changes["where"] = changes["where"] or {}
        return replace(filter or cls(), **changes)

    @property
    def needs_own_date(self) -> bool:
        """Whether documents that have only the time of their file don't match."""
        return bool(self.since or self.until) and "date_from" not in self.where

    def __bool__(self) -> bool:
        return self != Filter()


def beginning(folder: str) -> str:
    """What the paths of everything in a folder begin with; it may be a file, or a URL."""
    separator = "/" if "/" in folder else "\\"
    return folder.rstrip(separator) + separator
