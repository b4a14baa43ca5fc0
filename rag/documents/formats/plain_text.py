"""Plain text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from rag.documents.character_encoding import decoded_pieces
from rag.documents.content import Content
from rag.documents.dates import parse_date
from rag.documents.loaded import Loaded
from rag.documents.splitter import in_stretches
from rag.documents.whitespace import tidy

_DATE_LINE = re.compile(r"date(?:\s*:|[ \t])[ \t]*(.+)", re.IGNORECASE)


def load_plain(content: Content) -> Iterator[Loaded]:
    """Read plain text in any common encoding, in parts where it is long.

    A first line such as ``date 2025-03-05`` is the document's date and no part of its text. An
    encoding other than UTF-8 is noted in the metadata.

    Raises LoadError where the bytes are no text.
    """
    pieces, encoding = decoded_pieces(content)
    metadata = {} if encoding == "utf-8" else {"encoding": encoding}
    for number, stretch in enumerate(in_stretches(pieces)):
        text, date = tidy(stretch), None
        if number == 0:
            text, date = _dated(text)
        yield Loaded(text=text, date=date, metadata=metadata)


def _dated(text: str) -> tuple[str, dt.date | None]:
    """The text, and the date that its first line names; that line is no part of the text then."""
    first, _, rest = text.partition("\n")
    named = _DATE_LINE.fullmatch(first)
    date = parse_date(named[1]) if named else None
    return (rest.strip() if date else text), date
