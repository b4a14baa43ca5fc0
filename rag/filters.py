"""Which documents a search is limited to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions on a document, all of which must hold; None or empty is no condition.

    ``since`` and ``until`` bound its date, both inclusive. ``source`` is a pattern with ``*`` and
    ``?`` for the path of one of its sources, or for the end of it; upper and lower case are the
    same in it for the letters A to Z. ``title`` stands in its title, upper or lower case.
    ``language`` is a code such as ``en``. ``where`` are values of its metadata, each to be equal.
    Letters that Unicode writes in two ways are the same in either.
    """

    since: dt.date | None = None
    until: dt.date | None = None
    source: str | None = None
    title: str | None = None
    language: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self != Filter()
