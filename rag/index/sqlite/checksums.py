"""Checksums of rows: SQLite notices a page that is out of order, but no letter that changed."""

from __future__ import annotations

import zlib

DOCUMENT = (
    *("id", "title", "date", "digest", "metadata", "headings", "pages", "page_labels"),
    *("warnings", "text"),
)
"""The columns of ``document`` that its checksum covers, in this order."""

PASSAGE = (
    *("passage.id", "start", '"end"', "passage.pages", "leading", "passage.headings"),
    *("sentences", "passage.text"),
)
"""Those of ``passage`` …"""

ENCODING = ("vectors", "counts", "pieces", "bits")
"""… and those of its ``encoding`` that follow."""


def checksum(*values: str | int | bytes | None) -> int:
    """CRC-32 of a row: no flipped bit goes unnoticed, nor one in four thousand million changes."""
    found = 0
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        # With their lengths, so that nothing can move from one column to the next.
        found = zlib.crc32(content, zlib.crc32(len(content).to_bytes(8, "little"), found))
    return found
