"""Names of files that are never read, in folders and archives alike."""

from __future__ import annotations

_LEFT_BEHIND = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin"}
)
"""Files created by macOS and Windows, in lower case."""

_LOCK = "~$"
"""Prefix of the lock files of Word, Excel and PowerPoint."""


def is_ignored(name: str) -> bool:
    """Whether a file or folder of this name is hidden, a lock file, or a system file.

    Hidden names begin with a dot; they include LibreOffice's locks (``.~lock.a.odt#``).
    """
    return name.startswith((".", _LOCK)) or name.lower() in _LEFT_BEHIND
