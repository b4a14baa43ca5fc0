"""JSON: one record or many, or anything else that was written in it.

A record is an object with a text in one of its fields. Its other fields become the document's
title, date and metadata. The title of a long text leads it, as its headline.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from rag.documents.character_encoding import decode, decoded_pieces, lines_of
from rag.documents.content import Content, whole
from rag.documents.fields import by_lower_case, facts, in_words, scalar
from rag.documents.loaded import LONGEST_HEADING, Loaded, Member
from rag.documents.whitespace import one_line, tidy
from rag.errors import LoadError
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
taken from."""

_DEEPEST_INDENT = 20
_LARGE = 8 << 20
"""Bytes from which on an array is gone through twice, in place of taking it as a whole."""
_BLANKS = " \t\r\n"
_LONGEST_SIGN = len(r"\uD83D\uDE00")


def members_of_json(data: Content) -> Iterator[Member | Failure]:
    """The records of an array, each with its number as its name, or else the file as a whole.

    What is no record becomes lines "key: value". Several values one below the other, as in
    JSON Lines, are read as such. The items of a large array are read one at a time.

    Raises LoadError where it is no JSON.
    """
    if len(data) > _LARGE and _is_array_of_records(data):
        for number, item in enumerate(_items(decoded_pieces(data)[0]), 1):
            yield Member(str(number), _loaded(item))
        return
    if len(data) > _LARGE and _is_lines(lines_of(decoded_pieces(data)[0])):
        yield from members_of_json_lines(data)
        return
    text, encoding = decode(whole(data))
    text = text.removeprefix("\ufeff")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if _is_lines(lines_of([text])):
            yield from _of_lines(lines_of([text]))
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

    A line that is no JSON is a Failure, and the others go on.
    """
    yield from _of_lines(lines_of(decoded_pieces(data)[0]))


def _is_array_of_records(data: Content) -> bool:
    """Whether it is one array, whole and valid, with an object among its items."""
    try:
        # All of it is gone through: what follows an object may be damaged.
        return sum(isinstance(item, dict) for item in _items(decoded_pieces(data)[0])) > 0
    except (ValueError, RecursionError):
        return False


def _items(pieces: Iterator[str]) -> Iterator[_Value]:
    """The items of the array that a text is, one at a time, with no more of the text in memory
    than the longest of them takes.

    Raises ValueError where the text is not one array, and RecursionError where it is nested too
    deep.
    """
    decoder = json.JSONDecoder()
    text, at = next(pieces, "").removeprefix("\ufeff").lstrip(_BLANKS), 1
    mark = text[:1]
    if mark != "[":
        raise ValueError("it is no array")
    while mark != "]":
        try:
            value, end = decoder.raw_decode(text, _past_blanks(text, at))
            end = _past_blanks(text, end)
            mark = text[end]
            if mark not in {",", "]"}:
                raise json.JSONDecodeError("", text, end)
        except (ValueError, IndexError) as error:
            if _is_wrong(error, text) or not (more := _as_much(pieces, len(text) - at)):
                raise ValueError("it is damaged") from error
            text, at, mark = text[at:] + more, 0, ""
            continue
        yield value
        at = end + 1
    if text[at:].strip(_BLANKS) or any(piece.strip(_BLANKS) for piece in pieces):
        raise ValueError("something follows the array")


def _past_blanks(text: str, at: int) -> int:
    while text[at] in _BLANKS:
        at += 1
    return at


def _is_wrong(error: ValueError | IndexError, text: str) -> bool:
    """Whether a value could not be read though it is all there, so far as that can be told."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    is_string = text[error.pos : error.pos + 1] == '"'  # it may be one that does not end here
    return error.pos < len(text) - _LONGEST_SIGN and not is_string


def _as_much(pieces: Iterator[str], size: int) -> str:
    """At least ``size`` more characters, as long as there are any."""
    found: list[str] = []
    while size >= 0 and (piece := next(pieces, "")):
        found.append(piece)
        size -= len(piece)
    return "".join(found)


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


def _is_lines(lines: Iterable[str]) -> bool:
    """Whether the first line of several that say something is a value by itself."""
    filled = (line for line in lines if line.strip())
    try:
        is_value = isinstance(json.loads(next(filled, "")), dict | list)
    except (ValueError, RecursionError):
        return False
    return is_value and next(filled, None) is not None


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
