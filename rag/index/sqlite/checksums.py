"""Checksums of rows: SQLite detects malformed pages, but not changed content."""

from __future__ import annotations

import zlib

DOCUMENT = (
    *("id", "title", "date", "digest", "metadata", "headings", "pages", "page_labels"),
    *("warnings", "text"),
)
"""The columns of ``document`` covered by its checksum, in order."""

PASSAGE = (
    *("passage.id", "start", '"end"', "passage.pages", "leading", "passage.headings"),
    *("sentences", "passage.text"),
)
"""Those of ``passage`` …"""

ENCODING = ("vectors", "counts", "pieces", "bits")
"""… followed by those of its ``encoding``."""


def checksum(*values: str | int | bytes | None) -> int:
    """CRC-32 of a row: detects every flipped bit, and misses one in four thousand million
    changes.
    """
    found = 0
    for value in values:
        content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
        # Includes the lengths, so that content can't move from one column to the next.
        found = zlib.crc32(content, zlib.crc32(len(content).to_bytes(8, "little"), found))
    return found
