"""Plain text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from rag.documents.character_encoding import decoded_pieces, encoding_note
from rag.documents.content import Content
from rag.documents.dates import parse_date
from rag.documents.loaded import Loaded
from rag.documents.splitter import regroup
from rag.documents.whitespace import tidy

_DATE_LINE = re.compile(r"date(?:\s*:|[ \t])[ \t]*(.+)", re.IGNORECASE)


def load_plain(content: Content) -> Iterator[Loaded]:
    """Load plain text in any common encoding, in parts if long.

    A first line such as ``date 2025-03-05`` gives the document's date and is not part of the text.
    An encoding other than UTF-8 is recorded in the metadata.

    Raises LoadError if the bytes are not text.
    """
    pieces, encoding = decoded_pieces(content)
    metadata = encoding_note(encoding)
    for number, stretch in enumerate(regroup(pieces)):
        text, date = tidy(stretch), None
        if number == 0:
            text, date = _split_date(text)
        yield Loaded(text=text, date=date, metadata=metadata)


def _split_date(text: str) -> tuple[str, dt.date | None]:
    first, _, rest = text.partition("\n")
    named = _DATE_LINE.fullmatch(first)
    date = parse_date(named[1]) if named else None
    return (rest.strip() if date else text), date
