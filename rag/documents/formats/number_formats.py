"""Format spreadsheet cells as displayed."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Context, Decimal

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_CURRENCY = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
_BRACKETS = re.compile(r"\[[^\]]*\]")
_QUOTED = re.compile(r'"([^"]*)"')
_FILL = re.compile(r"_.|\*.")
_DIGITS = re.compile(r"[#0?,]*[#0?](?:\.([#0?]+))?,*")
_LONGEST_FORMAT = 100
_SIGNIFICANT = ".15g"  # a spreadsheet's display precision
_MOST_DECIMALS = 15
_MOST_DIGITS = 310
"""Maximum number of integer digits in a spreadsheet number."""

_WIDE = Context(prec=400)


def format_cell(value: object, number_format: str = "General") -> str:
    """Format a cell's value; dates spell out the month, so that queries can match it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value, number_format)
    if isinstance(value, dt.datetime):
        time = value.time()
        return _day(value) if time == dt.time() else f"{_day(value)} {_time(time)}"
    if isinstance(value, dt.date):
        return _day(value)
    if isinstance(value, dt.time):
        return _time(value)
    return "" if value is None else str(value)


def _day(day: dt.date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def _time(time: dt.time) -> str:
    return time.strftime("%H:%M:%S" if time.second else "%H:%M")


def _number(value: float, number_format: str) -> str:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - not a number
        return ""
    found = _pattern(number_format)
    if found is None:
        return _plain(value)
    before, pattern, decimals, after = found
    decimals = min(decimals, _MOST_DECIMALS)
    shown = abs(Decimal(str(value))) * (100 if _is_percentage(number_format) else 1)
    if shown.adjusted() > _MOST_DIGITS:
        return _plain(value)
    shown = shown.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _WIDE)
    digits = f"{shown:,f}" if "," in pattern else f"{shown:f}"
    sign = "-" if value < 0 and digits.strip("0.,") else ""
    return f"{sign}{before}{digits}{after}".strip()


def _is_percentage(number_format: str) -> bool:
    return "%" in _QUOTED.sub("", number_format.split(";", maxsplit=1)[0])


def _plain(value: float) -> str:
    words = format(value, _SIGNIFICANT) if isinstance(value, float) else str(value)
    # Written 1200000000, not 1.2e+09.
    return f"{value:.0f}" if "e+" in words and abs(value) < 1e21 else words  # noqa: PLR2004


def _pattern(number_format: str) -> tuple[str, str, int, str] | None:
    """Parse a number format into prefix, digit pattern, number of decimals, and suffix; None if it
    has no such form.
    """
    if len(number_format) > _LONGEST_FORMAT or number_format in ("", "General", "@"):
        return None
    section = number_format.split(";", maxsplit=1)[0]
    section = _BRACKETS.sub("", _CURRENCY.sub(r'"\1"', section))
    section = _FILL.sub("", section).replace("\\", "")
    kept = _QUOTED.sub(lambda quoted: "".join(c for c in quoted[1] if c not in "#0?,"), section)
    found = _DIGITS.search(kept)
    if found is None or found[0].endswith(","):  # scaled to thousands or millions
        return None
    before, after = kept[: found.start()], kept[found.end() :]
    if re.search(r"[Ee][+-]|/|[#0?]", after) or "/" in before:
        return None  # scientific, fraction or telephone number
    if "." not in found[0] and re.fullmatch(r"0{2,}", found[0]):
        return None  # fixed number of digits
    optional = found[1] is not None and "0" not in found[1]
    return None if optional else (before, found[0], len(found[1] or ""), after)
