"""JSON and JSON Lines: one record, many records, or any other value.

A record is an object with a text field. Its other fields become the document's title, date and
metadata. A long text is preceded by its title as a heading. A chat is one document.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from rag.documents.character_encoding import decode, decoded_pieces, encoding_note, lines_of
from rag.documents.content import Content, whole
from rag.documents.formats.chat import conversation
from rag.documents.loaded import LONGEST_HEADING, Loaded, Member
from rag.documents.metadata import by_lower_case, format_value, from_fields, scalar
from rag.documents.whitespace import one_line, tidy
from rag.errors import LoadError
from rag.types import Failure, Heading, Span

_Value: TypeAlias = object
_Record: TypeAlias = Mapping[str, _Value]

_TEXT = ("text", "content", "body", "article", "abstract", "description")
_TITLE = ("title", "headline", "subject", "name")
"""Names of title fields, in lower case; the first one present is used."""

_LEAST_WORDS = 6
"""Minimum number of words for a field of another name to count as text rather than a setting."""

_HEADED = 1000
"""Length in characters from which a text is preceded by its title: it makes several passages, which
may not each say what they are about. A shorter text speaks for itself, and its title often just
names its origin."""

_DEEPEST_INDENT = 20
_LARGE = 8 << 20
"""Size in bytes from which an array is read in two passes instead of being parsed as a whole."""
_BLANKS = " \t\r\n"
_LONGEST_SIGN = len(r"\uD83D\uDE00")


def members_of_json(data: Content) -> Iterator[Member | Failure]:
    """Yield the records of an array, named by number, or otherwise the file as a whole.

    Values that aren't records become lines "key: value". Several values in sequence, as in JSON
    Lines, are read as such. Large arrays are read item by item.

    Raises LoadError if it is not JSON.
    """
    if len(data) > _LARGE and _is_array_of_records(data):
        for number, item in enumerate(_items(decoded_pieces(data)[0]), 1):
            yield Member(str(number), _to_loaded(item))
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
        reason = f"it is not valid JSON ({_describe_error(error, where)}); fix it there"
        raise LoadError(reason) from error
    chat = conversation(value) if isinstance(value, list) else None
    if chat:
        yield Member("", chat)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value, 1):
            yield Member(str(number), _to_loaded(item))
    else:
        yield Member("", _to_loaded(value, encoding_note(encoding)))


def members_of_json_lines(data: Content) -> Iterator[Member | Failure]:
    """Yield the records of JSON Lines, named by line number.

    An invalid line yields a Failure, and reading continues.
    """
    yield from _of_lines(lines_of(decoded_pieces(data)[0]))


def _is_array_of_records(data: Content) -> bool:
    """Whether it is one complete, valid array with an object among its items."""
    try:
        # Check all of it: what follows the first object may be damaged.
        return sum(isinstance(item, dict) for item in _items(decoded_pieces(data)[0])) > 0
    except (ValueError, RecursionError):
        return False


def _items(pieces: Iterator[str]) -> Iterator[_Value]:
    """Yield the items of a streamed JSON array, keeping no more text in memory than the longest
    item.

    Raises ValueError if the text is not a single array, and RecursionError if it is nested too
    deep.
    """
    decoder = json.JSONDecoder()
    text, at = next(pieces, "").removeprefix("\ufeff").lstrip(_BLANKS), 1
    mark = text[:1]
    if mark != "[":
        raise ValueError("it is not an array")
    while mark != "]":
        try:
            value, end = decoder.raw_decode(text, _past_blanks(text, at))
            end = _past_blanks(text, end)
            mark = text[end]
            if mark not in {",", "]"}:
                raise json.JSONDecodeError("", text, end)
        except (ValueError, IndexError) as error:
            if _is_invalid(error, text) or not (more := _read_ahead(pieces, len(text) - at)):
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


def _is_invalid(error: ValueError | IndexError, text: str) -> bool:
    """Whether a value is invalid, rather than just incomplete so far."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    is_string = text[error.pos : error.pos + 1] == '"'  # which may not be complete yet
    return error.pos < len(text) - _LONGEST_SIGN and not is_string


def _read_ahead(pieces: Iterator[str], size: int) -> str:
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
            reason = f"line {number} is not valid JSON ({_describe_error(error)})"
            yield Failure(str(number), reason)
        else:
            yield Member(str(number), _to_loaded(value))


def _is_lines(lines: Iterable[str]) -> bool:
    """Whether there are several non-empty lines, the first of which is a complete object or
    array.
    """
    filled = (line for line in lines if line.strip())
    try:
        is_value = isinstance(json.loads(next(filled, "")), dict | list)
    except (ValueError, RecursionError):
        return False
    return is_value and next(filled, None) is not None


def _describe_error(error: Exception, line: str = "") -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg}: {line}column {error.colno}"
    return "it is nested too deep" if isinstance(error, RecursionError) else one_line(str(error))


def _to_loaded(value: _Value, notes: Mapping[str, str] | None = None) -> Loaded:
    chat = conversation(value) if isinstance(value, dict) else None
    if chat:
        return chat
    field = _text_field(value) if isinstance(value, dict) else None
    if not isinstance(value, dict) or field is None:
        return Loaded(tidy("\n".join(_as_lines(value))), metadata=notes or {})
    stated = from_fields({key: item for key, item in value.items() if key != field}, _TITLE)
    text, headings = _with_heading(tidy(_as_text(value[field])), stated.title)
    return stated.of_text(text, headings, notes=notes)


def _with_heading(text: str, title: str | None) -> tuple[str, tuple[Heading, ...]]:
    """Put the title above a long text as a heading, unless the text begins with it."""
    if not title or len(title) > LONGEST_HEADING:
        return text, ()
    if len(text) < _HEADED or text.startswith(title):
        return text, ()
    return f"{title}\n\n{text}", (Heading(Span(0, len(title)), 1),)


def _text_field(record: _Record) -> str | None:
    """The text field: one with a known name, or else the longest that reads like text."""
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
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n\n".join(value)
    return value if isinstance(value, str) else ""


def _as_lines(value: _Value) -> Iterator[str]:
    """Format any value as readable lines, with nested objects indented."""
    # Not recursive, as a value may be nested as deep as the recursion limit.
    waiting: list[str | tuple[_Value, int]] = [(value, 0)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        else:
            waiting += reversed([*_parts(*part)])


def _parts(value: _Value, depth: int) -> Iterator[str | tuple[_Value, int]]:
    """Lines of a value; a nested value is yielded with its depth instead."""
    indent = "  " * min(depth, _DEEPEST_INDENT)
    if isinstance(value, dict):
        for key, item in value.items():
            if _is_flat(item):
                yield f"{indent}{key}: {format_value(item)}"
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
