"""What the headers of a mail say, however broken they are."""

from __future__ import annotations

import datetime as dt
import re
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from rag.documents.character_encoding import decode
from rag.documents.whitespace import one_line
from rag.errors import LoadError

_LONGEST_HEADER = 10_000
_LONGEST_STRUCTURE = 2_000
"""Characters of a header that are read, and of one that says how a part is packed, which the
parser asks for again and again: its time grows with their square."""

_LONGEST_NAME = 120
_LONGEST_SUFFIX = 20
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def parsed(name: str, value: str) -> Any:  # noqa: ANN401 - a kind of string made by the parser
    """A header as the parser wants it, cut where it would take too long to parse."""
    is_structure = name.lower().startswith("content-")
    longest = _LONGEST_STRUCTURE if is_structure else _LONGEST_HEADER
    return policy.default.header_factory(name, value[:longest])


def header(message: EmailMessage, name: str) -> str:
    """A header in words, on one line; empty where there is none."""
    raw = next((v for key, v in message.raw_items() if key.lower() == name.lower()), "")
    raw = str(raw)[:_LONGEST_HEADER]
    if _SURROGATE.search(raw):  # bytes beyond ASCII, in no encoding that is said
        try:
            return one_line(decode(raw.encode("ascii", "surrogateescape"))[0])
        except (LoadError, UnicodeError):
            return one_line(_SURROGATE.sub("\ufffd", raw))
    return one_line(_decoded(name, raw))


def date_of(message: EmailMessage) -> dt.date | None:
    """The day on which it was sent, by the sender's clock."""
    try:
        return parsedate_to_datetime(header(message, "Date")).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def language_of(message: EmailMessage) -> str:
    """The language that it says it is in, if that is a single one."""
    language = header(message, "Content-Language")
    return language if _LANGUAGE.fullmatch(language) else ""


def name_of_person(written: str) -> str:
    """The name in an address such as ``Jane Doe <jane@example.org>``, or else all of it."""
    try:
        return parseaddr(written)[0] or written
    except RecursionError:  # comments in comments in comments
        return written


def file_name(part: EmailMessage) -> str:
    """The name of the file that a part was, safe to stand in a path; empty where it has none."""
    try:
        name = part.get_filename() or ""
        return safe_name(_decoded("Subject", name) if "=?" in name else name)
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return ""


def safe_name(name: str) -> str:
    """A name as one part of a path: what a sender put in front of it leads nowhere."""
    last = one_line(re.split(r"[/\\]", name)[-1].strip().lstrip("."))
    if len(last) <= _LONGEST_NAME:
        return last
    stem, dot, suffix = last.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{suffix[:_LONGEST_SUFFIX]}" if dot else last[:_LONGEST_NAME]


def _decoded(name: str, raw: str) -> str:
    """The value of a header of that name, with its encoded words in letters."""
    try:
        return str(policy.default.header_factory(name, raw))
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return raw
