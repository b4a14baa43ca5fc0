"""What a loader makes of a file's bytes, and how it lays text out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.documents.whitespace import one_line, without_debris
from rag.types import Heading, Span
from rag.types.parts import PART_CHARACTERS

LONGEST_HEADING = 200
"""A heading of more characters is no heading, but markup that was never closed."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a loader found in the bytes of one file.

    ``text`` is tidied, with an empty line between paragraphs; the spans of ``headings`` and
    ``pages`` are in it. ``title`` and ``date`` are None where the file names none.
    ``page_labels`` are the numbers printed on the pages ("iv", "A-3"), one a page, or none at
    all where the file names none. ``warnings`` say what of the file could not be read, each a
    line for a person.

    ``metadata`` is what else is known, by names of the loader's or the file's choice. These have
    the same meaning whatever the format, where they are there:

    - ``author`` and ``language``, as the file has them;
    - ``title_from``, ``author_from``, ``date_from``, ``language_from``: where that fact is from,
      ``file`` (what the file says of itself: properties, front matter, a page's head) or
      ``document`` (found in its content). Whoever sets the fact sets its origin; a title without
      one is from the content;
    - ``encoding``, unless it is UTF-8; ``extraction``, how the text was found.
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

    ``name`` is a relative path with forward slashes, as it will be shown below the file's own;
    its suffix says what kind of file ``content`` is, unless that was read already.
    """

    name: str
    content: bytes | Loaded


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of text with an empty line before and after it: a paragraph, a list, a table.

    A heading is a block with a ``level``, 1 for the outermost.
    """

    text: str
    level: int | None = None


def put_together(blocks: Iterable[Block]) -> tuple[str, tuple[Heading, ...]]:
    """The blocks, tidied, as one text, and where in it the headings are.

    Empty blocks vanish. The first line of a block keeps its indentation, as code needs it,
    unless the text begins with it.
    """
    parts: list[str] = []
    headings: list[Heading] = []
    at = 0
    for block in blocks:
        level = block.level
        part = one_line(block.text) if level else without_debris(block.text).strip("\n")
        if not parts:
            part = part.lstrip()
        if not part:
            continue
        parts.append(part)
        if level and len(part) <= LONGEST_HEADING:
            headings.append(Heading(Span(at, at + len(part)), level))
        at += len(part) + len("\n\n")
    return "\n\n".join(parts), tuple(headings)


def in_parts(blocks: Iterable[Block]) -> Iterator[tuple[str, tuple[Heading, ...]]]:
    """The blocks as ``put_together`` lays them out, as soon as there is enough for a part of a
    document. There is one part at least, and the last comes after the last block was taken.
    """
    gathered: list[Block] = []
    size = 0
    for block in blocks:
        if gathered and size + len(block.text) > PART_CHARACTERS:
            yield put_together(gathered)
            gathered, size = [], 0
        gathered.append(block)
        size += len(block.text) + len("\n\n")
    yield put_together(gathered)


def first_title(text: str, headings: Sequence[Heading]) -> str | None:
    """The first heading of the outermost level 1, or else the first heading."""
    of_level_1 = (heading for heading in headings if heading.level == 1)
    heading = next(of_level_1, headings[0] if headings else None)
    return heading.span.of(text) if heading else None
