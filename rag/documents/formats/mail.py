"""Mail: single messages (EML) and mailboxes (MBOX)."""

from __future__ import annotations

import codecs
import datetime as dt
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from io import BytesIO
from typing import cast

from rag.documents.character_encoding import decode
from rag.documents.content import Content, whole
from rag.documents.formats.content_lines import load_content_lines
from rag.documents.formats.html import feed, load_html
from rag.documents.formats.signed import MOST_SIGNED, signed_content
from rag.documents.layout import Layout
from rag.documents.loaded import Block, Loaded, Member, join_blocks, join_texts, safe_name
from rag.documents.metadata import file_metadata
from rag.documents.whitespace import one_line, tidy
from rag.errors import LoadError
from rag.types import Failure, Heading

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
_TEXTS = frozenset({"text/plain", "text/html", "text/calendar"})
"""Body content types. An invitation is part of the body: mail programs show it above the text."""

_TOO_DEEP = "its parts are nested too deeply; save them from your mail program"
_SEALED = "it is encrypted; decrypt it in your mail program and save it from there"

_SEPARATOR = re.compile(
    rb"From [^\n]{0,500}\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? {1,2}(?:\d{1,2} )?"
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b[^\n]{0,40}\d:\d\d[^\n]{0,40}\n"
)
"""The separator line of an mbox message ends with a date in the format of C's asctime."""

_LONGEST_HEADER = 10_000
_LONGEST_STRUCTURE = 2_000
"""Maximum characters read of a header, and of one that describes a part's type, whose parameters
are split repeatedly, in quadratic time."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")

_WORD = re.compile(r"\w+")
_HEADER = re.compile(rb"[!-9;-~]+:")
_ESCAPED = re.compile(rb"\n>(>*From )")


def members_of_mailbox(data: Content) -> Iterator[Member]:
    """Yield the messages in a mailbox, named by number.

    A message begins at a line "From somebody" with a date, if that is at the top of the file, after
    an empty line or before a header: sentences may begin with "From", too.

    Raises LoadError if it contains no message.
    """
    number, start = 0, None
    for separator in _separators(data):
        if start is not None:
            number += 1
            yield _message(number, data[start : separator.start()])
        start = separator.end()
    if start is None:
        raise LoadError("it has no messages, or they aren't in mailbox format")
    yield _message(number + 1, data[start:])


def _separators(data: Content) -> Iterator[re.Match[bytes]]:
    at = -1
    # Searched as bytes, which is many times faster in gigabytes of mail.
    while (at := data.find(b"From ", at + 1)) >= 0:
        before = data[max(0, at - 4) : at]
        separator = _SEPARATOR.match(data, at) if before[-1:] in (b"", b"\n") else None
        if separator is None:
            continue
        after_gap = not before or before.endswith((b"\n\n", b"\n\r\n"))
        if after_gap or _HEADER.match(data, separator.end()):
            yield separator


def _message(number: int, data: bytes) -> Member:
    """Restore a message as it was before it was put in the mailbox, which adds an empty line."""
    for end in (b"\r\n", b"\n"):
        if data.endswith(end + end):
            data = data.removesuffix(end)
    return Member(f"{number}.eml", _ESCAPED.sub(rb"\n\1", data))


class _Rules(policy.Compat32):
    """Policy that reads headers in spite of any errors, and limits the time that it takes."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 (as in the base)
        return _decode_bytes(value[:_LONGEST_STRUCTURE])


def members_of_mail(data: Content) -> Iterator[Member | Failure]:
    """Yield the message itself, without a name, then its attachments.

    Its text begins with subject, sender, recipients and date, followed by the plain-text body, the
    HTML body if there is no other or it says something else, and an invitation's time and place.
    Inline images and signatures are omitted.

    Raises LoadError if it has no header or its parts are nested too deep.
    """
    try:
        message = message_from_bytes(whole(data), policy=_Rules())
        if not message.keys():
            raise LoadError("it has no header, so it is not a mail message; check its content")
        texts, attached = _sort(message)
    except RecursionError as error:
        raise LoadError(_TOO_DEEP) from error
    loaded = _to_loaded(message, texts)
    if any(character.isalnum() for character in loaded.text):
        yield Member("", loaded)
    for number, part in enumerate(attached, 1):
        yield _attachment(part, number)


def _sort(
    part: Message, *, is_page: bool = False, signed_in: int = 0
) -> tuple[list[Message], list[Message]]:
    """Sort ``part`` and its subparts into texts that aren't empty, and attachments. ``is_page``
    marks parts of an HTML page; ``signed_in`` counts the signed messages around it.
    """
    kind = part.get_content_type()
    if kind in _SIGNATURES:
        return [], []
    if kind in _ENCRYPTED and (signed := signed_content(_bytes(part))) is not None:
        if signed_in == MOST_SIGNED:
            raise LoadError(_TOO_DEEP)
        inner = message_from_bytes(signed, policy=_Rules())
        return _sort(inner, is_page=is_page, signed_in=signed_in + 1)
    if kind in _ENCRYPTED or kind == "message/rfc822" or not part.is_multipart():
        if kind in _TEXTS and not _is_attached(part):
            return [part] if _bytes(part).strip() else [], []
        return [], [] if is_page and part.get_content_maintype() == "image" else [part]
    is_page |= kind == "multipart/related"
    versions = [_sort(child, is_page=is_page, signed_in=signed_in) for child in _children(part)]
    best = _best(versions) if kind == "multipart/alternative" else None
    texts: list[Message] = []
    attached: list[Message] = []
    for number, (its_texts, its_attached) in enumerate(versions):
        if best is None or number in best:
            texts += its_texts
            attached += its_attached
        else:  # text in another format is a version of the body, too
            texts += (one for one in its_texts if one.get_content_type() == "text/calendar")
            attached += (
                one
                for one in its_attached
                if _is_attached(one) or one.get_content_maintype() != "text"
            )
    return texts, attached


def _best(versions: Sequence[tuple[list[Message], object]]) -> Container[int] | None:
    """Index of the first version in plain text, or else in HTML; of both if they say different
    things, as where the plain text is a stub. None if there is neither.
    """
    firsts: dict[str, int] = {}
    for number, (texts, _) in enumerate(versions):
        for text in texts:
            if text.get_content_type() != "text/calendar":
                firsts.setdefault(text.get_content_type(), number)
    plain, page = firsts.get("text/plain"), firsts.get("text/html")
    if plain is None or page is None:
        return {*firsts.values()} or None
    said = {*_words(versions[plain][0])}
    shown = _words(versions[page][0])
    is_version = 3 * sum(word in said for word in shown) >= len(shown)
    return {plain} if is_version else {plain, page}


def _words(texts: Iterable[Message]) -> list[str]:
    """The words that these parts show; none of a part that can't be decoded."""
    shown: list[str] = []
    for part in texts:
        with suppress(LoadError):
            text = decode(_bytes(part), part.get_content_charset())[0]
            if part.get_content_type() == "text/html":
                layout = Layout(hidden=True)
                feed(text, layout)
                text = "\n".join(block.text for block in layout.blocks())
            shown += _WORD.findall(text)
    return shown


def _children(part: Message) -> list[Message]:
    return cast("list[Message]", part.get_payload())


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_file_name(part))


def _to_loaded(message: Message, texts: Sequence[Message]) -> Loaded:
    subject, sender, date = _header(message, "Subject"), _header(message, "From"), _date_of(message)
    language = _header(message, "Content-Language")
    about = file_metadata(
        title=subject or (f"Mail from {sender}" if sender else ""),
        author=_name_of_person(sender),
        date=date.isoformat() if date else "",
        language=language if _LANGUAGE.fullmatch(language) else "",  # it may name several
    )
    people = {"from": sender, "to": _header(message, "To"), "cc": _header(message, "Cc")}
    people = {name: words for name, words in people.items() if words}
    day = date.isoformat() if date else _header(message, "Date")
    lines = people | ({"date": day} if day else {})
    head = "\n".join(f"{name.title()}: {words}" for name, words in lines.items())
    parts = [join_blocks([Block(subject, 1), Block(head)])]
    warnings: list[str] = []
    for part in texts:
        try:
            parts += _body(part)
        except LoadError as error:
            warnings.append(f"a part of the message is left out: {error}")
    text, headings, _ = join_texts(parts)
    metadata = {**people, **about.fields}
    return Loaded(text, about.title, date, metadata, headings, warnings=tuple(warnings))


def _body(part: Message) -> list[tuple[str, tuple[Heading, ...]]]:
    data, charset = _bytes(part), part.get_content_charset()
    if part.get_content_type() == "text/html":
        # The mail header knows the encoding better than the page; a byte order mark makes it
        # prevail.
        is_known = charset not in (None, "us-ascii")
        page = codecs.BOM_UTF8 + decode(data, charset)[0].encode() if is_known else data
        return [(one.text, one.headings) for one in load_html(page)]
    if part.get_content_type() == "text/calendar":
        return [(one.text, one.headings) for one in load_content_lines(data)]
    text = decode(data, charset)[0]
    if _parameter(part, "format") == "flowed":
        text = _unfold(text, with_blank=_parameter(part, "delsp") != "yes")
    return [(tidy(text), ())]


def _parameter(part: Message, name: str) -> str:
    return str(part.get_param(name, "")).lower()


def _unfold(text: str, *, with_blank: bool) -> str:
    """Join soft-wrapped lines (format=flowed, RFC 3676) to one line per paragraph; quotations and
    the signature separator stay. With ``with_blank`` the trailing space belongs to the text,
    otherwise (DelSp) it is dropped.
    """
    paragraphs: list[list[str]] = []  # each a list of lines
    goes_on = False
    for line in text.replace("\r\n", "\n").split("\n"):
        is_quoted = line.startswith(">")
        words = line if is_quoted else line.removeprefix(" ")
        follows, goes_on = goes_on, line.endswith(" ") and line != "-- " and not is_quoted
        if goes_on and not with_blank:
            words = words.removesuffix(" ")
        if follows and not is_quoted:
            paragraphs[-1].append(words)
        else:
            paragraphs.append([words])
    return "\n".join(map("".join, paragraphs))


def _attachment(part: Message, number: int) -> Member | Failure:
    kind = part.get_content_type()
    name = _file_name(part) or f"part {number}"
    if kind in _ENCRYPTED:
        return Failure(name, _SEALED)
    if kind == "message/rfc822":
        return _attached_message(part, name)
    if "." not in name:
        name += _SUFFIXES.get(kind, "")
    return Member(name, _bytes(part))


def _attached_message(part: Message, name: str) -> Member | Failure:
    """A message attached to the message, as a file."""
    from email.generator import BytesGenerator

    try:
        (message,) = _children(part)
        subject = re.sub(r"[/\\]", "-", _header(message, "Subject"))
        name = _file_name(part) or safe_name(subject) or name
        written = BytesIO()
        # Keep the headers as they are, without refolding.
        as_it_came = policy.compat32.clone(max_line_length=0)
        BytesGenerator(written, mangle_from_=False, policy=as_it_came).flatten(message)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - of its many errors, none may cost the other attachments
        return Failure(name, "it is damaged in the message; save it from your mail program")
    return Member(name if name.lower().endswith(".eml") else f"{name}.eml", written.getvalue())


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _header(message: Message, name: str) -> str:
    """A header decoded on one line; empty if missing."""
    raw = next((v for key, v in message.raw_items() if key.lower() == name.lower()), "")
    raw = str(raw)[:_LONGEST_HEADER]
    decoded = _decode_bytes(raw)
    return one_line(_decode(name, raw) if decoded == raw else decoded)


def _decode_bytes(raw: str) -> str:
    """Decode bytes in no declared encoding, which the parser keeps as surrogates."""
    if not _SURROGATE.search(raw):
        return raw
    try:
        return decode(raw.encode("ascii", "surrogateescape"))[0]
    except (LoadError, UnicodeError):
        return _SURROGATE.sub("\ufffd", raw)


def _date_of(message: Message) -> dt.date | None:
    """Date of sending, in the sender's time zone."""
    try:
        return parsedate_to_datetime(_header(message, "Date")).date()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _name_of_person(written: str) -> str:
    """The name in an address such as ``Jane Doe <jane@example.org>``, or else all of it."""
    try:
        return parseaddr(written)[0] or written
    except RecursionError:  # deeply nested comments
        return written


def _file_name(part: Message) -> str:
    """File name of an attachment, safe to use in a path; empty if it has none."""
    try:
        name = part.get_filename() or ""
        return safe_name(_decode("Subject", name) if "=?" in name else name)
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return ""


def _decode(name: str, raw: str) -> str:
    try:
        return str(policy.default.header_factory(name, raw))
    except Exception:  # noqa: BLE001 - broken headers make the parser raise whatever it likes
        return raw
