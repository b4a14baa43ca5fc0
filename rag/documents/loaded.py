"""The result of a loader, and how text is laid out in it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.documents.whitespace import normalize_whitespace, one_line
from rag.types import Heading, Span
from rag.types.parts import PART_CHARACTERS

LONGEST_HEADING = 200
"""Maximum length of a heading, in characters; a longer one is unclosed markup."""
_LONGEST_NAME = 120
_LONGEST_SUFFIX = 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of loading one file.

    ``text`` is tidied, with an empty line between paragraphs; ``headings`` and ``pages`` are spans
    of it. ``title`` and ``date`` are None if the file has none. ``page_labels`` are the printed
    page numbers ("iv", "A-3"), one per page, or empty if unknown. ``warnings`` are messages for
    people about what could not be read.

    ``metadata`` holds everything else, under names chosen by the loader or the file. These have the
    same meaning in every format:

    - ``author`` and ``language``, as given in the file;
    - ``title_from``, ``author_from``, ``date_from``, ``language_from``: the origin of each fact,
      ``file`` (the file's own metadata: properties, front matter, HTML head) or ``document`` (found
      in the content). The code that sets a fact also sets its origin; a title without one is from
      the content;
    - ``encoding``, unless it is UTF-8; ``extraction``, the method used to extract the text.
    """

    text: str
    title: str | None = None
    date: dt.date | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()
    pages: tuple[Span, ...] = ()
    page_labels: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A document inside a file: an attachment, a file in an archive, a message in a mailbox.

    ``name`` is a relative path with forward slashes, shown below the container's path; its suffix
    gives the format of ``content``, unless that is already loaded.
    """

    name: str
    content: bytes | Loaded


@dataclass(frozen=True, slots=True)
class Block:
    """A block of text, separated by empty lines: a paragraph, a list, a table.

    A heading is a block with a ``level``, 1 for the outermost.
    """

    text: str
    level: int | None = None


def join_blocks(blocks: Iterable[Block]) -> tuple[str, tuple[Heading, ...]]:
    """Join blocks to one tidied text, and return it with the headings in it.

    Empty blocks are dropped. The first line of a block keeps its indentation, for the sake of code,
    unless it begins the text.
    """
    parts: list[str] = []
    headings: list[Heading] = []
    at = 0
    for block in blocks:
        level = block.level
        part = one_line(block.text) if level else normalize_whitespace(block.text).strip("\n")
        if not parts:
            part = part.lstrip()
        if not part:
            continue
        parts.append(part)
        if level and len(part) <= LONGEST_HEADING:
            headings.append(Heading(Span(at, at + len(part)), level))
        at += len(part) + len("\n\n")
    return "\n\n".join(parts), tuple(headings)


def join_texts(
    texts: Iterable[tuple[str, Iterable[Heading]]],
) -> tuple[str, tuple[Heading, ...], tuple[Span, ...]]:
    """Join tidied texts to one, and return it with the headings in it and the span of each text,
    even if empty.
    """
    parts: list[str] = []
    headings: list[Heading] = []
    spans: list[Span] = []
    at = 0
    for text, inside in texts:
        if text and parts:
            at += len("\n\n")
        headings += (Heading(one.span.shifted(at), one.level) for one in inside)
        spans.append(Span(at, at + len(text)))
        if text:
            parts.append(text)
            at += len(text)
    return "\n\n".join(parts), tuple(headings), tuple(spans)


def in_parts(blocks: Iterable[Block]) -> Iterator[tuple[str, tuple[Heading, ...]]]:
    """As ``join_blocks``, but yielding each part of a document as soon as it is complete. There is
    at least one part, and the last follows the last block.
    """
    gathered: list[Block] = []
    size = 0
    for block in blocks:
        if gathered and size + len(block.text) > PART_CHARACTERS:
            yield join_blocks(gathered)
            gathered, size = [], 0
        gathered.append(block)
        size += len(block.text) + len("\n\n")
    yield join_blocks(gathered)


def first_title(text: str, headings: Sequence[Heading]) -> str | None:
    """The first level-1 heading, otherwise the first heading."""
    of_level_1 = (heading for heading in headings if heading.level == 1)
    heading = next(of_level_1, headings[0] if headings else None)
    return heading.span.of(text) if heading else None


def safe_name(name: str) -> str:
    """Turn a name into a single path component, preventing path traversal by the sender."""
    last = one_line(re.split(r"[/\\]", name)[-1].strip(' "').lstrip("."))
    if len(last) <= _LONGEST_NAME:
        return last
    stem, dot, suffix = last.rpartition(".")
    return f"{stem[:_LONGEST_NAME]}{dot}{suffix[:_LONGEST_SUFFIX]}" if dot else last[:_LONGEST_NAME]
