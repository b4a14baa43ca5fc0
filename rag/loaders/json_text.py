"""JSON: one record or many, or anything else that was written in it.

A record is an object with a text in one of its fields. Its other fields become the document's
title, date and metadata. The title of a long text leads it, as its headline.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from rag.errors import LoadError
from rag.loaders.content import Content, stream_of, whole
from rag.loaders.decoding import decode
from rag.loaders.fields import by_lower_case, facts, in_words, scalar
from rag.loaders.loaded import LONGEST_HEADING, Loaded, Member
from rag.loaders.tidying import one_line, tidy
from rag.types import Failure, Heading, Span

_Value: TypeAlias = object
_Record: TypeAlias = Mapping[str, _Value]

_TEXT = ("text", "content", "body", "article", "abstract", "description")
_TITLE = ("title", "headline", "subject", "name")
"""Names of fields, in lower case; the first that a record has counts."""

_LEAST_WORDS = 6
"""Words that a field of another name needs to be the text, not a setting."""

_HEADED = 1000
"""Characters from which on a text is led by its title: it makes several passages, which don't all
say what it is about. A shorter one speaks for itself, and its title often names only what it is
taken from: ARCHITECTURE.md has the figures."""

_DEEPEST_INDENT = 20
_SAMPLE = 1 << 16
_CHUNK = 1 << 20


def members_of_json(data: Content) -> Iterator[Member | Failure]:
    """The records of an array, each with its number as its name, or else the file as a whole.

    What is no record becomes lines "key: value". Several values one below the other, as in
    JSON Lines, are read as such.

    Raises LoadError where it is no JSON.
    """
    text, encoding = decode(whole(data))
    text = text.removeprefix("\ufeff")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if _is_lines(text):
            yield from _of_lines(_lines(text))
            return
        where = f"line {error.lineno}, " if isinstance(error, json.JSONDecodeError) else ""
        reason = f"it is no valid JSON ({_in_words(error, where)}); mend it there"
        raise LoadError(reason) from error
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value, 1):
            yield Member(str(number), _loaded(item))
    else:
        yield Member("", _loaded(value, {} if encoding == "utf-8" else {"encoding": encoding}))


def members_of_json_lines(data: Content) -> Iterator[Member | Failure]:
    """The records of JSON Lines, each with the number of its line as its name.

    A line that is no JSON is a Failure, and the others go on. The lines of a mapped file
    are decoded one at a time, if all of it is UTF-8.
    """
    if isinstance(data, bytes) or not _is_utf8(data):
        yield from _of_lines(_lines(decode(whole(data))[0].removeprefix("\ufeff")))
    else:
        yield from _of_lines(line.removesuffix("\n") for line in _as_utf8(data))


def _is_utf8(data: Content) -> bool:
    """Whether ``decode`` would take it all for UTF-8 without damage."""
    if decode(data[:_SAMPLE])[1].startswith("utf-16"):  # which may be valid UTF-8, too
        return False
    text = _as_utf8(data)
    try:
        while text.read(_CHUNK):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _as_utf8(data: Content) -> io.TextIOWrapper:
    return io.TextIOWrapper(stream_of(data), "utf-8-sig", newline="\n")


def _of_lines(lines: Iterable[str]) -> Iterator[Member | Failure]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = f"line {number} is no valid JSON ({_in_words(error)})"
            yield Failure(str(number), reason)
        else:
            yield Member(str(number), _loaded(value))


def _lines(text: str) -> Iterator[str]:
    """The lines, one at a time; only line feeds end one, for strings may hold the other marks."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def _is_lines(text: str) -> bool:
    first = next((line for line in _lines(text) if line.strip()), "")
    try:
        return isinstance(json.loads(first), dict | list)
    except (ValueError, RecursionError):
        return False


def _in_words(error: Exception, line: str = "") -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}: {line}column {error.colno}"
    return "it is nested too deep" if isinstance(error, RecursionError) else one_line(str(error))


def _loaded(value: _Value, notes: Mapping[str, str] | None = None) -> Loaded:
    """A record, or whatever else it is, as lines."""
    field = _text_field(value) if isinstance(value, dict) else None
    if not isinstance(value, dict) or field is None:
        return Loaded(tidy("\n".join(_as_lines(value))), metadata=notes or {})
    said = facts({key: item for key, item in value.items() if key != field}, _TITLE)
    text, headings = _headed(tidy(_as_text(value[field])), said.title)
    return Loaded(
        text=text,
        title=said.title,
        date=said.date,
        metadata={**said.metadata, **(notes or {})},
        headings=headings,
    )


def _headed(text: str, title: str | None) -> tuple[str, tuple[Heading, ...]]:
    """A long text with its title as the heading above it, unless it begins with that itself."""
    if not title or len(title) > LONGEST_HEADING:
        return text, ()
    if len(text) < _HEADED or text.startswith(title):
        return text, ()
    return f"{title}\n\n{text}", (Heading(Span(0, len(title)), 1),)


def _text_field(record: _Record) -> str | None:
    """The field that holds the text: one so named, or else the longest that reads like one."""
    named = by_lower_case(record)
    for name in _TEXT:
        if name in named and _as_text(record[named[name]]).strip():
            return named[name]
    strings = [(key, item) for key, item in record.items() if isinstance(item, str)]
    if not strings:
        return None
    key, longest = max(strings, key=lambda pair: len(pair[1]))
    is_prose = len(longest.split()) >= _LEAST_WORDS or not longest.isascii()
    return key if is_prose else None


def _as_text(value: _Value) -> str:
    """A field's text; a list of strings is one of paragraphs."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n\n".join(value)
    return value if isinstance(value, str) else ""


def _as_lines(value: _Value) -> Iterator[str]:
    """Any value as lines that a person can read, those of inner objects moved in."""
    # Not by a function that calls itself: a value may be nested as deep as calls may be.
    inside: list[Iterator[str | tuple[_Value, int]]] = [iter([(value, 0)])]
    while inside:
        part = next(inside[-1], None)
        if part is None:
            inside.pop()
        elif isinstance(part, str):
            yield part
        else:
            inside.append(_parts(*part))


def _parts(value: _Value, depth: int) -> Iterator[str | tuple[_Value, int]]:
    """The lines of a value; in place of a value in it, that value and its depth."""
    indent = "  " * min(depth, _DEEPEST_INDENT)
    if isinstance(value, dict):
        for key, item in value.items():
            if _is_flat(item):
                yield f"{indent}{key}: {in_words(item)}"
            else:
                yield f"{indent}{key}:"
                yield item, depth + 1
    elif isinstance(value, list) and not _is_flat(value):
        for number, item in enumerate(value):
            if number:
                yield ""
            yield item, depth
    elif isinstance(value, list):
        yield from (f"{indent}{scalar(item)}" for item in value)
    else:
        yield f"{indent}{scalar(value)}"


def _is_flat(value: _Value) -> bool:
    if isinstance(value, list):
        return not any(isinstance(item, dict | list) for item in value)
    return not isinstance(value, dict)
