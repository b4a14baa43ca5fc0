"""Permalinks to sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from rag import Citation


def lasting_link(citation: Citation) -> str:
    """The permalink, relative to the search page; ``ui.pages.citations`` resolves it."""
    query = {
        "document": citation.document_id,
        "start": citation.start,
        "end": citation.end,
        "hash": citation.digest,
        "words": citation.beginning,
    }
    return f"cite?{urlencode(query)}"
