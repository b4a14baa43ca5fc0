"""Plain text."""

from __future__ import annotations

import re

from rag.loaders.dates import parse_date
from rag.loaders.decoding import decode
from rag.loaders.loaded import Loaded
from rag.loaders.tidying import tidy

_DATE_LINE = re.compile(r"date(?:\s*:|[ \t])[ \t]*(.+)", re.IGNORECASE)


def load_plain(data: bytes) -> Loaded:
    """Read plain text in any common encoding.

    A first line such as ``date 2025-03-05`` is the document's date and no part of its text. An
    encoding other than UTF-8 is noted in the metadata.

    Raises LoadError where the bytes are no text.
    """
    decoded, encoding = decode(data)
    text = tidy(decoded)
    first, _, rest = text.partition("\n")
    named = _DATE_LINE.fullmatch(first)
    date = parse_date(named[1]) if named else None
    return Loaded(
        text=text if date is None else rest.strip(),
        date=date,
        metadata={} if encoding == "utf-8" else {"encoding": encoding},
    )
