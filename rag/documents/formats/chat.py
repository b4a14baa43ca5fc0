"""Exported chats: of Slack, Telegram, Discord, ChatGPT, Claude and others in JSON, and of WhatsApp
as text.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from rag.documents.dates import format_moment
from rag.documents.loaded import Block, Loaded, join_blocks
from rag.documents.metadata import from_fields
from rag.documents.whitespace import one_line, tidy

_LISTS = ("messages", "chat_messages")
_AUTHORS = ("author", "from", "sender", "sender_name", "username", "user", "role", "actor")
_NAMES = ("real_name", "display_name", "nickname", "name", "username", "role")
_MOMENTS = ("ts", "timestamp", "timestamp_ms", "date", "created_at", "create_time", "createdAt")
_WORDS = ("text", "content", "body", "parts", "blocks", "elements", "url")
"""Names of fields, in order of preference."""

_TITLES = ("title", "name")
_BESIDE = ("attachments", "files")
_FILE_NAMES = ("title", "name", "file_name", "fallback")
_INLINE = frozenset({"text", "link", "mention", "bold", "italic", "code", "hashtag", "user"})

_MILLISECONDS = 10**11
"""Times from here on are in milliseconds, not seconds, since 1970."""

_LATEST = 10**14
_DEEPEST = 20
_MARKUP = re.compile(r"<([^<>|\n]{1,2000})(?:\|([^<>|\n]{0,2000}))?>")

_STAMP = (
    r"[\u200e\u200f]?(?P<bracket>\[)?(?!\d{4}[\d./-]+ )"  # as logs have it
    r"(?P<first>\d{1,4})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<third>\d{2,4}),?(?: às?)? "
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?(bracket)(?:[:.]\d\d)?)"
    r"(?: ?(?P<half>[AaPp])\.? ?[Mm]\.?)?(?(bracket)\]| -) "
)
_FIRST_STAMP = re.compile(_STAMP)
_NEXT_STAMP = re.compile(rf"\n+(?={_STAMP})")
_WHATSAPP = re.compile(rf"^{_STAMP}[\u200e\u200f]?(?P<author>[^:\n]{{1,80}}): ", re.MULTILINE)
_MONTHS_OF_YEAR, _HOURS = 12, 12
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e]")


@dataclass(frozen=True, slots=True)
class _Message:
    author: str
    moment: dt.datetime | None
    text: str

    def block(self) -> Block:
        """The message as a paragraph, "Ada Lovelace, 5 March 2024 18:22: At nine"."""
        when = format_moment(self.moment.replace(second=0)) if self.moment else ""
        lead = ", ".join(filter(None, (self.author, when)))
        return Block(f"{lead}: {self.text}" if lead else self.text)


def conversation(value: object) -> Loaded | None:
    """The chat that a JSON value holds: its messages in order, each with author and time, the
    latter in UTC unless the export has it otherwise; None if it is something else.
    """
    records = [*_records(value)]
    messages = [*_messages(records)]
    authors = sum(bool(one.author) for one in messages)
    if not authors or 2 * authors < len(records):
        return None
    about = from_fields(value if isinstance(value, dict) else {}, _TITLES)
    blocks = [Block(about.title, 1)] if about.title else []
    text, headings = join_blocks([*blocks, *(one.block() for one in messages)])
    moments = [one.moment for one in messages if one.moment]
    begun = moments[0] if moments else _moment(value) if isinstance(value, dict) else None
    if about.date or not begun:
        return about.of_text(text, headings)
    loaded = about.of_text(text, headings, notes={"date_from": "document"})
    return replace(loaded, date=begun.date())


def _records(value: object) -> Iterator[Mapping[str, object]]:
    """What may be messages in a value."""
    if isinstance(value, dict) and isinstance(value.get("mapping"), dict):  # ChatGPT
        nodes = [*value["mapping"].values()]
        found = [one["message"] for one in nodes if isinstance(one, dict) and one.get("message")]
        found = [one for one in found if isinstance(one, dict) and _words(one.get("content"))]
        moments = {id(one): moment for one in found if (moment := _moment(one))}
        if len(moments) == len(found):
            found.sort(key=lambda one: moments[id(one)])
        yield from found
    elif isinstance(value, dict):
        lists = (value.get(name) for name in _LISTS)
        yield from (one for items in lists for one in _list(items) if isinstance(one, dict))
    else:  # Slack
        records = (one for one in _list(value) if isinstance(one, dict))
        yield from (one for one in records if one.get("type") == "message" and "ts" in one)


def _messages(records: Sequence[Mapping[str, object]]) -> Iterator[_Message]:
    names = {str(one["user"]): _author(one) for one in records if "user" in one}
    for one in records:
        words = next(filter(None, (_words(one.get(name)) for name in _WORDS)), "")
        beside = (_file(item) for name in _BESIDE for item in _list(one.get(name)))
        text = "\n".join(filter(None, (words, *beside)))
        if "ts" in one:
            text = _slack_text(text, names)
        if text := tidy(text):
            yield _Message(_author(one), _moment(one), text)


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _author(record: Mapping[str, object]) -> str:
    sources = (record.get("user_profile"), *(record.get(name) for name in _AUTHORS))
    for source in sources:
        found = [source]
        if isinstance(source, dict):
            found = [source.get(name) for name in _NAMES]
        for name in found:
            if isinstance(name, str) and name.strip():
                return one_line(name)
    return ""


def _moment(record: Mapping[str, object]) -> dt.datetime | None:
    for name in _MOMENTS:
        value = record.get(name)
        try:
            if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
                moment = dt.datetime.fromisoformat(value)
                return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            seconds = float(value) if isinstance(value, str | int | float) else _LATEST
            if 0 < seconds < _LATEST:
                return dt.datetime.fromtimestamp(
                    seconds / 1000 if seconds >= _MILLISECONDS else seconds, dt.UTC
                )
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _words(value: object, depth: int = 0) -> str:
    """The words of a text, which may be in pieces."""
    if isinstance(value, str):
        return value
    if depth > _DEEPEST:
        return ""
    if isinstance(value, dict):
        return next(filter(None, (_words(value.get(name), depth + 1) for name in _WORDS)), "")
    pieces = [*_list(value)]
    is_inline = all(
        isinstance(one, str) or (isinstance(one, dict) and one.get("type") in _INLINE)
        for one in pieces
    )
    between = "" if is_inline and any(isinstance(one, dict) for one in pieces) else "\n"
    return between.join(filter(None, (_words(one, depth + 1) for one in pieces)))


def _file(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    names = dict.fromkeys(str(item[name]) for name in _FILE_NAMES if item.get(name))
    return ": ".join(filter(None, (", ".join(names), _words(item.get("text")))))


def _slack_text(text: str, names: Mapping[str, str]) -> str:
    """Replace references, such as ``<@U1>`` and ``<https://x.org|label>``, by their labels."""

    def label(found: re.Match[str]) -> str:
        target, words = found[1], found[2] or ""
        if target.startswith("@"):
            return f"@{words or names.get(target[1:]) or target[1:]}"
        if target.startswith(("#", "!")):
            return f"{'#' if target[0] == '#' else '@'}{words.lstrip('@') or target[1:]}"
        return words or target

    return html.unescape(_MARKUP.sub(label, text))


def is_whatsapp(text: str) -> bool:
    """Whether a text is a chat from WhatsApp: a message or an event, such as that somebody joined,
    begins it, and two messages have authors.
    """
    messages = _WHATSAPP.finditer(text) if _FIRST_STAMP.match(text) else ()
    return sum(1 for _ in islice(messages, 2)) > 1


def format_whatsapp(text: str) -> str:
    """Make the messages of a chat from WhatsApp paragraphs, and write author and time as in other
    chats unless the dates don't show which number is the month; unchanged if the text is something
    else.
    """
    text = _NEXT_STAMP.sub("\n\n", text)
    found = [*_WHATSAPP.finditer(text)]
    first, second = {int(one["first"]) for one in found}, {int(one["second"]) for one in found}
    if not found or max(first) > 31:  # noqa: PLR2004 (years come first)
        order = "ymd" if found else ""
    elif max(first) > _MONTHS_OF_YEAR or found[0]["mark"] == ".":
        order = "dmy"
    else:
        order = "mdy" if max(second) > _MONTHS_OF_YEAR else ""
    if not order:
        return text

    def written(one: re.Match[str]) -> str:
        parts = dict(zip(order, map(int, one.group("first", "second", "third")), strict=True))
        hour = int(one["hour"])
        if one["half"]:
            hour = hour % _HOURS + _HOURS * (one["half"] in "Pp")
        year = parts["y"] + (2000 if parts["y"] < 100 else 0)  # noqa: PLR2004
        try:
            moment = dt.datetime(year, parts["m"], parts["d"], hour, int(one["minute"]))  # noqa: DTZ001
        except ValueError:
            return one[0]
        return f"{one['author'].strip()}, {format_moment(moment)}: "

    return _MARKS.sub("", _WHATSAPP.sub(written, text))
