"""Normalise text: one kind of line end, one kind of space, no control characters."""

from __future__ import annotations

import re

from rag.text.unicode import plain

_GAP = re.compile(r"\n{3,}")


def tidy(text: str) -> str:
    """Normalise a text to the form documents use; idempotent.

    Lines end with a line feed and have no trailing spaces. Paragraphs are separated by one empty
    line; there is none at either end. Control characters (except tab), lone surrogates, byte order
    marks and soft hyphens are removed; no-break spaces become plain spaces; the rest is in Unicode
    NFC.
    """
    return normalize_whitespace(text).strip()


def one_line(text: str) -> str:
    """Tidy the text and collapse all whitespace to single spaces."""
    return " ".join(normalize_whitespace(text).split())


def normalize_whitespace(text: str) -> str:
    """As ``tidy``, without trimming the ends of the text."""
    text = "\n".join(line.rstrip() for line in plain(text).split("\n"))
    return _GAP.sub("\n\n", text)
