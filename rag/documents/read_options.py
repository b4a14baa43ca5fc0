"""What files are read with, beside themselves."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from rag.errors import InputError
from rag.runtime.byte_sizes import parse_size

PROTECTED = "this PDF is protected by a password"
"""How the reason begins why such a file could not be read."""

MAX_DOCUMENT = 256 * 10**6
"""Bytes of memory that reading one file may take unless more is allowed."""

LEAST_MAX_DOCUMENT = 64 * 10**6
"""Bytes that the parsers themselves need to load."""

MOST_MAX_DOCUMENT = 10**15
"""Bytes; of much more the system knows no limit."""


def max_document_of(asked: int | str | None) -> int:
    """The bytes that somebody asks for, as a number or like ``"1GB"``; None stands for
    ``$RAG_MAX_DOCUMENT``, or else the default.

    Raises
    ------
    InputError
        If that is no size, so little that no file could be read, or more than any machine has.
    """
    said = os.environ.get("RAG_MAX_DOCUMENT", "") if asked is None else str(asked)
    size = parse_size(said) if said else MAX_DOCUMENT
    if size is None or not LEAST_MAX_DOCUMENT <= size <= MOST_MAX_DOCUMENT:
        least, most = LEAST_MAX_DOCUMENT // 10**6, MOST_MAX_DOCUMENT // 10**12
        raise InputError(
            "the memory that reading a file may take must be a size like 512MB or 2GB, "
            f"from {least}MB to {most}TB, not “{said}”"
        )
    return size


@dataclass(frozen=True, slots=True)
class Means:
    """What helps to read files that don't give their text away, and what that may cost.

    ``ocr`` are the languages, as tesseract names them, in which pages that are only pictures are
    read; None leaves them unread. ``passwords`` are tried, in their order, on each PDF that is
    protected by one. They are in no message, log or file of ours. ``max_document`` is the memory,
    in bytes, that reading one file may take; a file that needs more is not read.
    """

    ocr: str | None = None
    passwords: tuple[str, ...] = field(default=(), repr=False)
    max_document: int = MAX_DOCUMENT

    @property
    def too_large(self) -> str:
        """What to say of a file that needs more memory than ``max_document``."""
        now, more = self._memory
        return (
            f"reading it takes more than {now} of memory; "
            f"allow more with --max-document {more}, or split it"
        )

    @property
    def after_crash(self) -> str:
        """What to do about a file whose parser crashed: many in C crash where they get no more
        memory, and don't say so.
        """
        now, more = self._memory
        return (
            f"if {now} of memory is too little for it, allow more with --max-document {more}, "
            "or else save it anew in its program"
        )

    @property
    def _memory(self) -> tuple[str, str]:
        """How much may be taken now, and how much more to allow."""
        return f"{self.max_document // 10**6}MB", f"{4 * self.max_document // 10**6}MB"
