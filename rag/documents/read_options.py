"""Options for reading files: OCR, passwords, memory limit."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from rag.errors import InputError
from rag.runtime.byte_sizes import parse_size

MAX_DOCUMENT = 256 * 10**6
"""Default memory limit for reading one file, in bytes."""

LEAST_MAX_DOCUMENT = 64 * 10**6
"""Minimum memory limit, in bytes: what loading the parsers takes."""

MOST_MAX_DOCUMENT = 10**15
"""Maximum memory limit, in bytes; the system can't represent much higher limits."""


def max_document_of(asked: int | str | None) -> int:
    """Parse a memory limit: a number of bytes, or a size such as ``"1GB"``; None means
    ``$RAG_MAX_DOCUMENT``, or else the default.

    Raises
    ------
    InputError
        If it is not a size, too small to read any file, or larger than any machine's memory.
    """
    text = os.environ.get("RAG_MAX_DOCUMENT", "") if asked is None else str(asked)
    size = parse_size(text) if text else MAX_DOCUMENT
    if size is None or not LEAST_MAX_DOCUMENT <= size <= MOST_MAX_DOCUMENT:
        least, most = LEAST_MAX_DOCUMENT // 10**6, MOST_MAX_DOCUMENT // 10**12
        raise InputError(
            "the memory that reading a file may take must be a size like 512MB or 2GB, "
            f"from {least}MB to {most}TB, not “{text}”"
        )
    return size


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options for reading difficult files, and the memory limit.

    ``ocr`` names the languages, as tesseract does, for pages without a text layer; None disables
    OCR. ``passwords`` are tried in order on each protected PDF; they never appear in messages, logs
    or files of ours. ``max_document`` is the memory, in bytes, that reading one file may take; a
    file that needs more is not read.
    """

    ocr: str | None = None
    passwords: tuple[str, ...] = field(default=(), repr=False)
    max_document: int = MAX_DOCUMENT

    @property
    def too_large(self) -> str:
        """Message for a file that needs more memory than ``max_document``."""
        now, more = self._memory
        return (
            f"reading it takes more than {now} of memory; "
            f"allow more with --max-document {more}, or split it"
        )

    @property
    def after_crash(self) -> str:
        """Cause and advice for a file whose parser crashed: many parsers in C and Rust crash when
        out of memory, without saying so, also where a damaged file only claims to be so large.
        """
        now, more = self._memory
        return (
            f"it is damaged, or takes more than {now} of memory; get another copy of it, save it "
            f"again in its program, or allow more with --max-document {more}"
        )

    @property
    def _memory(self) -> tuple[str, str]:
        """The current memory limit and a suggested higher one, formatted."""
        return f"{self.max_document // 10**6}MB", f"{4 * self.max_document // 10**6}MB"
