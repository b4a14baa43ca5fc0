"""Dates of documents: as written by people and programs, or of their files."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import product

from rag.types import Document

_TIME_OR_END = r"(?:$|Z$|T\d|[+-]\d\d:?\d\d$|,? +\d{1,2}:)"
_YEAR_FIRST = re.compile(
    rf"(\d{{4}})(?:(\d\d)(\d\d)|([-/.])(\d{{1,2}})\4(\d{{1,2}})){_TIME_OR_END}"
)
_FULL_YEAR = re.compile(r"\d{4}")
_EARLIEST_YEAR = 1000
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_LONGEST = 60


def parse_date(value: object) -> dt.date | None:
    """Parse an unambiguous date; None for anything else.

    ``value`` is a string, or a date object from another parser. Dates that begin with the year are
    read as ISO 8601, all others in the usual English notations. Ambiguous dates, such as
    03/04/2025, dates without a day, month or full year, and years before 1000 give None. The day is
    taken as written, whatever the time zone.
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        return None
    written = value.strip()
    if not written.isascii() or len(written) > _LONGEST or not _FULL_YEAR.search(written):
        return None
    iso = _YEAR_FIRST.match(written)
    date = _from_parts(*filter(None, iso.group(1, 2, 3, 5, 6))) if iso else _parse_written(written)
    return date if date and date.year >= _EARLIEST_YEAR else None


def _from_parts(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _parse_written(written: str) -> dt.date | None:
    """Parse with dateutil, accepting only results that don't depend on its defaults."""
    from dateutil import parser  # type: ignore[import-untyped,unused-ignore]

    # dateutil fills in missing parts from the default; parsing with two defaults that differ in
    # every part shows whether anything was missing.
    defaults = dt.datetime(2001, 1, 1), dt.datetime(2002, 2, 2)  # noqa: DTZ001 - only days count
    days: set[dt.date] = set()
    for default, day, year in product(defaults, (False, True), (False, True)):
        try:
            moment = parser.parse(
                written, default=default, dayfirst=day, yearfirst=year, ignoretz=True
            )
        except (ValueError, OverflowError, TypeError):
            return None
        days.add(moment.date())
    return days.pop() if len(days) == 1 else None


def format_moment(moment: dt.date | dt.time) -> str:
    """Format a date, with its time if it isn't midnight, or a time of day: "5 March 2024 18:22".
    The month is spelled out, so that queries can match it.
    """
    if isinstance(moment, dt.time):
        return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
    day = f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"
    if isinstance(moment, dt.datetime) and moment.time() != dt.time():
        return f"{day} {format_moment(moment.time())}"
    return day


def with_date(document: Document, modified_ns: int) -> Document:
    """The document, with the modification date of its file if it has no date of its own."""
    if document.date:
        known = {"date_from": "document"} | dict(document.metadata)
        return replace(document, metadata=known)
    day = dt.datetime.fromtimestamp(modified_ns / 1e9, tz=dt.UTC).date()
    return replace(
        document, date=day, metadata=dict(document.metadata) | {"date_from": "file time"}
    )
