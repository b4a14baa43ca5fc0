"""Group document dates into columns by month, year or decade, so that the chart stays readable.

Pure. Empty periods in between are columns, too.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from ui import strings
from ui.pages import insight_strings
from ui.pages.plots import Bar

if TYPE_CHECKING:
    from rag import Dates

Unit: TypeAlias = Literal["month", "year", "decade"]

MOST_MONTHS = 24
MOST_YEARS = 60

_MONTHS = 12
_DECADE = 10


def columns(dates: Dates) -> tuple[Unit, list[Bar]]:
    """A column per month for up to two years, otherwise per year, otherwise per decade."""
    months = {day.year * _MONTHS + day.month - 1: n for day, n in dates.months.items()}
    if not months:
        return "month", []
    span = max(months) - min(months) + 1
    if span <= MOST_MONTHS:
        return "month", _columns(Counter(months), "month")
    years = Counter[int]()
    for month, number in months.items():
        years[month // _MONTHS] += number
    if max(years) - min(years) < MOST_YEARS:
        return "year", _columns(years, "year")
    decades = Counter[int]()
    for year, number in years.items():
        decades[year // _DECADE] += number
    return "decade", _columns(decades, "decade")


def _columns(counts: Counter[int], unit: Unit) -> list[Bar]:
    found = []
    for at in range(min(counts), max(counts) + 1):
        name = _name(at, unit)
        found.append(Bar(name, counts[at], f"{name}: {strings.count(counts[at], 'document')}"))
    return found


def _name(at: int, unit: Unit) -> str:
    if unit == "month":
        day = dt.date(at // _MONTHS, at % _MONTHS + 1, 1)
        return f"{strings.MONTHS[day.month - 1][:3]} {day.year}"
    if unit == "year":
        return str(at)
    return insight_strings.DECADE.format(year=at * _DECADE)
