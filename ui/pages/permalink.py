"""The lasting link to a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from rag import Citation


def lasting_link(citation: Citation) -> str:
    """Where ``ui.pages.citations`` follows it, relative to the page where questions are asked."""
    query = {
        "document": citation.document_id,
        "start": citation.start,
        "end": citation.end,
        "hash": citation.digest,
        "words": citation.beginning,
    }
    return f"cite?{urlencode(query)}"
