"""Mail: single messages (EML) and mailboxes (MBOX)."""

from __future__ import annotations

import codecs
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.policy import Policy
from email.utils import parseaddr, parsedate_to_datetime
from io import BytesIO
from typing import Any, cast

from rag.errors import LoadError
from rag.loaders.decoding import decode
from rag.loaders.html import load_html
from rag.loaders.loaded import Block, Loaded, Member, put_together
from rag.loaders.tidying import one_line, tidy
from rag.types import Failure, Heading

_LONGEST_HEADER = 10_000
_LONGEST_STRUCTURE = 2_000
"""Characters of a header that are read, and of one that says how a part is packed, which the
parser asks for again and again: its time grows with their square."""

_LONGEST_NAME = 120
_SIGNATURES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
)
_ENCRYPTED = frozenset(
    {"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"}
)
_SUFFIXES = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/markdown": ".md",
    "application/json": ".json",
    "application/pdf": ".pdf",
}
_SEALED = "it is encrypted; decrypt it in your mail program and save it from there"

_SEPARATOR = re.compile(
    rb"^From [^\n]*\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:\d{1,2} +)?"
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b[^\n]*\d:\d\d[^\n]*\n",
    re.MULTILINE,
)
"""The line before a message in a mailbox ends with a date as C's asctime writes it."""

_HEADER = re.compile(rb"[!-9;-~]+:")
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def members_of_mailbox(data: bytes) -> Iterator[Member]:
    """The messages in a mailbox, each with its number as its name.

    A new message begins at a line "From somebody" with a date, if it stands at the top, after
    an empty line or before a header: people begin sentences with "From", too.

    Raises LoadError where there is no message in it.
    """
    number, start = 0, None
    for separator in _SEPARATOR.finditer(data):
        if not _begins_a_message(data, separator):
            continue
        if start is not None:
            number += 1
            yield _message(number, data[start : separator.start()])
        start = separator.end()
    if start is None:
        raise LoadError("it holds no messages, or they aren't kept as a mailbox keeps them")
    yield _message(number + 1, data[start:])


def _begins_a_message(data: bytes, separator: re.Match[bytes]) -> bool:
    before = data[max(0, separator.start() - 4) : separator.start()]
    after_gap = not before or before.endswith((b"\n\n", b"\n\r\n"))
    return after_gap or _HEADER.match(data, separator.end()) is not None


def _message(number: int, data: bytes) -> Member:
    return Member(f"{number}.eml", _ESCAPED.sub(rb"\1", data))


def members_of_mail(data: bytes) -> Iterator[Member | Failure]:
    """The message itself, without a name, then what is attached to it.

    Subject, sender, recipients and date stand at the head of its text, then what it says as
    plain text, or else as a page. Pictures that are part of a page and signatures are left out.

    Raises LoadError where it has no header, or can't be taken apart.
    """
    try:
        loaded, attached = _taken_apart(data, policy.default.clone(header_factory=_cut))
    except LoadError:
        raise
    except Exception:  # noqa: BLE001 - headers that are broken enough make the parser trip
        loaded, attached = _taken_apart(data, policy.compat32)  # it understands less, and stands
    if any(character.isalnum() for character in loaded.text):
        yield Member("", loaded)
    for number, part in enumerate(attached, 1):
        yield _attachment(part, number)


def _taken_apart(data: bytes, rules: Policy[Any]) -> tuple[Loaded, list[EmailMessage]]:
    """What the message says, and the parts that are attached to it."""
    message = cast("EmailMessage", message_from_bytes(data, policy=rules))
    if not message.keys():
        raise LoadError("it has no header, so it is no mail; check what it holds")
    parts = _Parts()
    parts.sort(message)
    return _loaded(message, parts), parts.attached


@dataclass(slots=True)
class _Parts:
    """The parts of a message: what it says, and what is attached."""

    said: list[EmailMessage] = field(default_factory=list)
    attached: list[EmailMessage] = field(default_factory=list)

    def sort(self, part: EmailMessage, *, is_page: bool = False, is_said: bool = True) -> None:
        """Sort ``part`` and those in it. ``is_page`` tells that it belongs to a web page, and
        ``is_said`` is False in another version of what was said already.
        """
        kind = part.get_content_type()
        if kind in _SIGNATURES:
            return
        if kind in _ENCRYPTED or kind == "message/rfc822" or not part.is_multipart():
            self._sort_leaf(part, is_page=is_page, is_said=is_said)
            return
        children = cast("list[EmailMessage]", part.get_payload())
        best = _best(children) if kind == "multipart/alternative" else None
        for child in children:
            chosen = is_said and best in (None, child)
            self.sort(child, is_page=is_page or kind == "multipart/related", is_said=chosen)

    def _sort_leaf(self, part: EmailMessage, *, is_page: bool, is_said: bool) -> None:
        is_attached = part.get_content_disposition() == "attachment" or _filename(part)
        if part.get_content_type() in ("text/plain", "text/html") and not is_attached:
            if is_said:
                self.said.append(part)
            return
        kind = part.get_content_maintype()
        is_decoration = is_page and kind == "image"
        is_version = not is_said and not is_attached and kind == "text"
        if not is_decoration and not is_version:
            self.attached.append(part)


def _best(versions: list[EmailMessage]) -> EmailMessage | None:
    """The version that says it in plain text, or else as a page."""
    for kind in ("text/plain", "text/html"):
        for version in versions:
            for part in version.walk():
                if part.get_content_type() == kind and _bytes(part).strip():
                    return version
    return None


def _loaded(message: EmailMessage, parts: _Parts) -> Loaded:
    subject = one_line(_header(message, "Subject"))
    sender = one_line(_header(message, "From"))
    date = _date(message)
    lines = {
        "From": sender,
        "To": one_line(_header(message, "To")),
        "Cc": one_line(_header(message, "Cc")),
        "Date": date.isoformat() if date else one_line(_header(message, "Date")),
    }
    head = "\n".join(f"{name}: {words}" for name, words in lines.items() if words)
    text, headings = put_together([Block(subject, 1), Block(head)])
    warnings: list[str] = []
    for part in parts.said:
        try:
            body = _body(part)
        except LoadError as error:
            warnings.append(f"a part of the message is left out: {error}")
            continue
        shift = len(text) + len("\n\n") if text else 0
        text = f"{text}\n\n{body.text}".strip()
        headings += tuple(Heading(one.span.shifted(shift), one.level) for one in body.headings)
    metadata = {name.lower(): words for name, words in lines.items() if name != "Date"}
    metadata["author"] = _person(sender)
    return Loaded(
        text=text,
        title=subject or (f"Mail from {sender}" if sender else None),
        date=date,
        metadata=_filled(metadata),
        headings=headings,
        warnings=tuple(warnings),
    )


def _person(sender: str) -> str:
    try:
        return parseaddr(sender)[0] or sender
    except RecursionError:  # comments in comments in comments
        return sender


def _filled(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name: words for name, words in metadata.items() if words}


def _body(part: EmailMessage) -> Loaded:
    """What a part says; an empty text where it says nothing."""
    data = _bytes(part)
    if not data.strip():
        return Loaded("")
    charset = part.get_content_charset()
    if part.get_content_type() == "text/html":
        # The message knows the encoding better than the page; with a mark it is believed.
        is_known = charset not in (None, "us-ascii")
        return load_html(codecs.BOM_UTF8 + decode(data, charset)[0].encode() if is_known else data)
    text = decode(data, charset)[0]
    return Loaded(tidy(_unfolded(text) if part.get_param("format") == "flowed" else text))


def _unfolded(text: str) -> str:
    """Text whose lines were folded with a blank at the end, as RFC 3676 has it, in one line a
    paragraph; quotations and the line above a signature stay.
    """
    lines: list[str] = []
    goes_on = False
    for line in text.replace("\r\n", "\n").split("\n"):
        is_quoted = line.startswith(">")
        if goes_on and not is_quoted:
            lines[-1] += line.removeprefix(" ")
        else:
            lines.append(line if is_quoted else line.removeprefix(" "))
        goes_on = line.endswith(" ") and line != "-- " and not is_quoted
    return "\n".join(lines)


def _attachment(part: EmailMessage, number: int) -> Member | Failure:
    kind = part.get_content_type()
    name = _filename(part) or f"part {number}"
    if kind in _ENCRYPTED:
        return Failure(name, _SEALED)
    if kind == "message/rfc822":
        return _nested(part, name)
    if "." not in name:
        name += _SUFFIXES.get(kind, "")
    return Member(name, _bytes(part))


def _nested(part: EmailMessage, name: str) -> Member | Failure:
    """A message in the message, as it would be saved."""
    from email.generator import BytesGenerator

    try:
        (message,) = cast("list[EmailMessage]", part.get_payload())
        name = _safe(_filename(part) or _header(message, "Subject").replace("/", "-")) or name
        written = BytesIO()
        # Headers as they came, not folded anew.
        as_it_came = policy.compat32.clone(max_line_length=0)
        BytesGenerator(written, mangle_from_=False, policy=as_it_came).flatten(message)
    except Exception:  # noqa: BLE001 - of its many errors, none may cost the other attachments
        return Failure(name, "it is damaged in the message; save it from your mail program")
    return Member(name if name.lower().endswith(".eml") else f"{name}.eml", written.getvalue())


def _bytes(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _filename(part: EmailMessage) -> str:
    try:
        name = part.get_filename() or ""
        return _safe(_decoded("Subject", name) if "=?" in name else name)
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return ""


def _safe(name: str) -> str:
    """A name as one part of a path: what a sender put in front of it leads nowhere."""
    last = one_line(re.split(r"[/\\]", name)[-1].strip().lstrip("."))
    if len(last) <= _LONGEST_NAME:
        return last
    stem, dot, suffix = last.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{suffix[:20]}" if dot else last[:_LONGEST_NAME]


def _header(message: EmailMessage, name: str) -> str:
    """A header in words, however broken it is."""
    raw = next((v for key, v in message.raw_items() if key.lower() == name.lower()), "")
    raw = str(raw)[:_LONGEST_HEADER]
    if _SURROGATE.search(raw):  # bytes beyond ASCII, in no encoding that is said
        try:
            return decode(raw.encode("ascii", "surrogateescape"))[0]
        except (LoadError, UnicodeError):
            return _SURROGATE.sub("\ufffd", raw)
    return _decoded(name, raw)


def _cut(name: str, value: str) -> Any:  # noqa: ANN401 - a kind of string made by the parser
    is_structure = name.lower().startswith("content-")
    longest = _LONGEST_STRUCTURE if is_structure else _LONGEST_HEADER
    return policy.default.header_factory(name, value[:longest])


def _decoded(name: str, raw: str) -> str:
    """The value of a header of that name, with its encoded words in letters."""
    try:
        return str(policy.default.header_factory(name, raw))
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return raw


def _date(message: EmailMessage) -> dt.date | None:
    try:
        return parsedate_to_datetime(_header(message, "Date")).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
