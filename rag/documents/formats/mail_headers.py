"""Read mail headers, however malformed."""

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
"""Maximum characters read of a header, and of one that describes a part's encoding, which the
parser parses repeatedly: its time is quadratic."""

_LONGEST_NAME = 120
_LONGEST_SUFFIX = 20
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def parse(name: str, value: str) -> Any:  # noqa: ANN401 - a kind of string made by the parser
    """Parse a header, truncated if it would take too long."""
    is_structure = name.lower().startswith("content-")
    longest = _LONGEST_STRUCTURE if is_structure else _LONGEST_HEADER
    return policy.default.header_factory(name, value[:longest])


def header(message: EmailMessage, name: str) -> str:
    """A header decoded on one line; empty if missing."""
    raw = next((v for key, v in message.raw_items() if key.lower() == name.lower()), "")
    raw = str(raw)[:_LONGEST_HEADER]
    if _SURROGATE.search(raw):  # raw non-ASCII bytes in no declared encoding
        try:
            return one_line(decode(raw.encode("ascii", "surrogateescape"))[0])
        except (LoadError, UnicodeError):
            return one_line(_SURROGATE.sub("\ufffd", raw))
    return one_line(_decode(name, raw))


def date_of(message: EmailMessage) -> dt.date | None:
    """Date of sending, in the sender's time zone."""
    try:
        return parsedate_to_datetime(header(message, "Date")).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def language_of(message: EmailMessage) -> str:
    """The declared language, if there is exactly one."""
    language = header(message, "Content-Language")
    return language if _LANGUAGE.fullmatch(language) else ""


def name_of_person(written: str) -> str:
    """The name in an address such as ``Jane Doe <jane@example.org>``, otherwise the whole
    address.
    """
    try:
        return parseaddr(written)[0] or written
    except RecursionError:  # deeply nested comments
        return written


def file_name(part: EmailMessage) -> str:
    """File name of an attachment, safe to use in a path; empty if it has none."""
    try:
        name = part.get_filename() or ""
        return safe_name(_decode("Subject", name) if "=?" in name else name)
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return ""


def safe_name(name: str) -> str:
    """Turn a name into a single path component, preventing path traversal by the sender."""
    last = one_line(re.split(r"[/\\]", name)[-1].strip().lstrip("."))
    if len(last) <= _LONGEST_NAME:
        return last
    stem, dot, suffix = last.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{suffix[:_LONGEST_SUFFIX]}" if dot else last[:_LONGEST_NAME]


def _decode(name: str, raw: str) -> str:
    """Value of a header with encoded words decoded."""
    try:
        return str(policy.default.header_factory(name, raw))
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return raw
