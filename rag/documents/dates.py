"""Dates of documents: stated in them, in their file names, or those of their files."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import islice, product
from pathlib import PurePosixPath

from rag.types import Document
from rag.types.parts import whole_source

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

_WRITTEN = (
    r"(?:\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4}"
    r"|\d{1,2}(?:st|nd|rd|th|\.)? [A-Za-z]{3,9}\.?,? \d{4}"
    r"|[A-Za-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
)
_LABELLED = re.compile(rf"(?:date|dated|datum)\b\W{{0,5}}({_WRITTEN})\b", re.IGNORECASE)
_ALONE = re.compile(rf"(?:[^\W\d][\w .'-]{{0,40}}, (?:den |the )?)?({_WRITTEN})")
"""A date alone on its line, or after a place or a weekday: "Kiel, 7 November 2023"."""
_MARKUP = "#*_ \t"
_FIRST_LINES = 12
_BEGINNING = 2_000
"""How far into a text a date line is looked for, in lines with text and in characters."""

_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_IN_NAME = re.compile(
    r"(?<!\d)(?:((?:19|20)\d\d)([-_. ]?)(\d\d)\2(\d\d)|(\d\d)\.(\d\d)\.((?:19|20)\d\d))(?!\d)"
)


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


def date_line(text: str) -> dt.date | None:
    """The first date at the beginning of a text that is alone on its line, maybe after a place
    ("Kiel, 7 November 2023"), or begins it after "Date:"; None if there is none.
    """
    lines = (line.strip(_MARKUP) for line in text[:_BEGINNING].splitlines())
    for line in islice(filter(None, lines), _FIRST_LINES):
        if found := _LABELLED.match(line) or _ALONE.fullmatch(line):
            day = _DAY_FIRST.fullmatch(found[1])
            date = _from_parts(day[3], day[2], day[1]) if day else parse_date(found[1])
            if date:
                return date
    return None


def date_in_name(name: str) -> dt.date | None:
    """The first full date in a file name, from 1900 to 2099: "Minutes 2023-11-07", "20231107_a",
    "07.11.2023"; None if there is none.
    """
    for found in _IN_NAME.finditer(name):
        year, _, month, day, last_day, last_month, last_year = found.groups()
        date = _from_parts(year or last_year, month or last_month, day or last_day)
        if date:
            return date
    return None


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
    """The document, with the date in its file's name if it has none of its own, or else with that
    on which its file was modified; ``date_from`` in its metadata says which.
    """
    stated = dict(document.metadata)
    if document.date:
        return replace(document, metadata={"date_from": "document"} | stated)
    date, origin = date_in_name(PurePosixPath(whole_source(document.source)).name), "file name"
    if date is None:
        date, origin = dt.datetime.fromtimestamp(modified_ns / 1e9, tz=dt.UTC).date(), "file time"
    return replace(document, date=date, metadata=stated | {"date_from": origin})
