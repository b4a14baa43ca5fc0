"""Calendars (iCalendar, RFC 5545) and contacts (vCard, RFC 6350): both consist of content lines."""

from __future__ import annotations

import datetime as dt
import quopri
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rag.documents.character_encoding import decode, decoded_pieces, encoding_note, lines_of
from rag.documents.content import Content
from rag.documents.dates import format_moment
from rag.documents.loaded import Block, Loaded
from rag.documents.metadata import Metadata
from rag.documents.whitespace import one_line

_LINE = re.compile(r"(?:[\w-]+\.)?([\w-]+)((?:;(?:[^\":;]|\"[^\"]*\")*)*):(.*)", re.DOTALL)
_COMMON_NAME = re.compile(r";CN=(?:\"([^\"]*)\"|([^;:]*))", re.IGNORECASE)
_ZONE = re.compile(r";TZID=\"?([^\";:]*)", re.IGNORECASE)
_MOMENT = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_ESCAPED = re.compile(r"\\(.)")
_BINARY = re.compile(r";(?:ENCODING=\"?B(?:ASE64)?\"?|BASE64)(?=;|$)", re.IGNORECASE)
_DATA = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_SCHEME = re.compile(r"(?:mailto|tel):", re.IGNORECASE)

_TITLES = ("SUMMARY", "FN")
_LABELS = {
    "DTSTART": "Start",
    "DTEND": "End",
    "RRULE": "Repeats",
    "TEL": "Telephone",
    "ADR": "Address",
    "BDAY": "Birthday",
    "ORG": "Organisation",
}
"""Names for people, where they aren't those of the standard."""

_TECHNICAL = frozenset(
    {
        *("VERSION", "PRODID", "CALSCALE", "METHOD", "UID", "DTSTAMP", "SEQUENCE", "CREATED"),
        *("LAST-MODIFIED", "REV", "TRANSP", "CLASS", "PHOTO", "LOGO", "SOUND", "KEY"),
    }
)
_TECHNICAL_PARTS = frozenset({"VTIMEZONE", "STANDARD", "DAYLIGHT", "VALARM"})


@dataclass(slots=True)
class _Component:
    """An event, a task, or a contact."""

    name: str
    title: str = ""
    family_first: str = ""
    lines: list[str] = field(default_factory=list)


def load_content_lines(content: Content) -> Iterator[Loaded]:
    """Load a calendar or address book: each event or contact is a heading with lines such as
    "Location: Room 4"; in parts if long. Attached files and pictures are left out.

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content)
    return Metadata().in_parts(_blocks(lines_of(pieces)), notes=encoding_note(encoding))


def _blocks(lines: Iterable[str]) -> Iterator[Block]:
    opened = [_Component("")]
    for line in _unfold(lines):
        found = _LINE.fullmatch(line)
        name, parameters, value = found.groups() if found else ("", "", line)
        name = name.upper()
        if name == "BEGIN":
            opened.append(_Component(value.strip().upper()))
        elif name == "END":
            yield from _written(opened.pop() if len(opened) > 1 else opened[0])
        elif name in _TITLES and not opened[-1].title:
            opened[-1].title = _value(parameters, value)
        elif name == "N":  # required in vCard 2.1, where FN is not
            opened[-1].family_first = _value(parameters, value)
        elif name not in _TECHNICAL and (words := _value(parameters, value)):
            label = _LABELS.get(name, name.removeprefix("X-").replace("-", " ").capitalize())
            opened[-1].lines.append(f"{label}: {words}" if label else words)
    for one in reversed(opened):
        yield from _written(one)


def _unfold(lines: Iterable[str]) -> Iterator[str]:
    """Join lines that are continued by a space or tab, or by an equals sign in vCard 2.1."""
    gathered = [""]
    for line in lines:
        line = line.removesuffix("\r")  # noqa: PLW2901
        if line.startswith((" ", "\t")):
            gathered.append(line[1:])
        elif gathered[-1].endswith("=") and _is_quoted_printable(gathered):
            gathered[-1] = gathered[-1][:-1]
            gathered.append(line)
        else:
            unfolded, gathered = "".join(gathered), [line]
            yield unfolded
    yield "".join(gathered)


def _is_quoted_printable(gathered: Sequence[str]) -> bool:
    return "QUOTED-PRINTABLE" in "".join(one[:200] for one in gathered[:3]).upper()


def _written(one: _Component) -> Iterator[Block]:
    if one.name not in _TECHNICAL_PARTS:
        if title := one.title or one.family_first:
            yield Block(title, 2)
        yield Block("\n".join(one.lines))
    one.title, one.family_first, one.lines = "", "", []


def _value(parameters: str, value: str) -> str:
    if _BINARY.search(parameters) or _DATA.match(value):
        return ""
    if "QUOTED-PRINTABLE" in parameters.upper():
        value = decode(quopri.decodestring(value.encode("utf-8", "replace")))[0]
    if moment := _MOMENT.fullmatch(value.strip()):
        return _moment(moment, parameters) or value
    words = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    if not re.search(r"[=\\]", value):  # structured, such as an address
        words = ", ".join(part for part in words.split(";") if part.strip())
    words = _SCHEME.sub("", words, count=1)
    name = _COMMON_NAME.search(parameters)
    return one_line(f"{name[1] or name[2]} ({words})" if name else words)


def _moment(found: re.Match[str], parameters: str) -> str:
    """A point in time, with the zone in which it is given."""
    try:
        day = dt.datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007
        time = dt.datetime.strptime(found[2] or "000000", "%H%M%S").time()  # noqa: DTZ007
    except ValueError:
        return ""
    if not found[2]:
        return format_moment(day)
    zone = _ZONE.search(parameters)
    named = "UTC" if found[3] else zone[1] if zone else ""
    return f"{format_moment(day)} {format_moment(time)} {named}".strip()
