"""What files are read with, beside themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

PROTECTED = "this PDF is protected by a password"
"""How the reason begins why such a file could not be read."""


@dataclass(frozen=True, slots=True)
class Means:
    """What helps to read files that don't give their text away.

    ``ocr`` are the languages, as tesseract names them, in which pages that are only pictures are
    read; None leaves them unread. ``passwords`` are tried, in their order, on each PDF that is
    protected by one. They are in no message, log or file of ours.
    """

    ocr: str | None = None
    passwords: tuple[str, ...] = field(default=(), repr=False)
