"""Read what late interaction needs: token bits of passages and of their titles, and texts."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from rag.index.records import StoredTokens, damaged
from rag.index.sqlite.database import Database
from rag.types.arrays import TokenBits

# A document's passages are inserted together and in order, so the first has the lowest key; its
# encoding is looked up only if the document begins with a heading.
_QUERY = """
SELECT encoding.passage, encoding.counts, encoding.bits, passage.text, document.id, passage.start,
    first.leading,
    CASE WHEN first.leading THEN (SELECT counts FROM encoding WHERE passage = first.key) END,
    CASE WHEN first.leading THEN (SELECT bits FROM encoding WHERE passage = first.key) END
FROM encoding
JOIN passage ON passage.key = encoding.passage
JOIN document ON document.key = passage.document
JOIN passage AS first ON first.key = (
    SELECT min(key) FROM passage AS any WHERE any.document = passage.document
)
WHERE encoding.passage IN (SELECT value FROM json_each(?))
"""


def token_bits(database: Database, keys: Sequence[int]) -> dict[int, StoredTokens]:
    """Token bits by passage key; deleted passages are left out."""
    wanted = json.dumps([int(key) for key in keys])
    rows = database.connection.execute(_QUERY, (wanted,)).fetchall()
    nothing = _unpack(b"", database.dimension)
    found = {
        key: StoredTokens(
            key=key,
            counts=np.frombuffer(counts, dtype=np.int32),
            bits=_unpack(bits, database.dimension),
            title=_title(leading, of_first, first, database.dimension) if leading else nothing,
            text=text,
            place=(document, start),
        )
        for key, counts, bits, text, document, start, leading, of_first, first in rows
    }
    if any(sum(one.counts.tolist()) != len(one.bits) for one in found.values()):
        raise damaged("a passage has more or fewer tokens than recorded")
    return found


def _title(leading: int, counts: bytes, bits: bytes, dimension: int) -> TokenBits:
    """The bits of the headings at the beginning of a document, from its first passage."""
    of_headings = np.frombuffer(counts, dtype=np.int32)[:leading]
    return _unpack(bits, dimension)[: int(of_headings.sum())]


def _unpack(blob: bytes, dimension: int) -> TokenBits:
    return np.frombuffer(blob, dtype=np.uint8).reshape(-1, -(-dimension // 8))
