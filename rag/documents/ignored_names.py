"""Names of what nobody means to be read, in folders and archives alike."""

from __future__ import annotations

_LEFT_BEHIND = frozenset(
    {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin"}
)
"""What macOS and Windows leave behind, in lower case."""

_LOCK = "~$"
"""How the names of Word's, Excel's and PowerPoint's locks begin."""


def is_debris(name: str) -> bool:
    """Whether a file or folder of this name is hidden, a lock, or left behind by a system.

    Hidden are names that begin with a dot, LibreOffice's locks (``.~lock.a.odt#``) among them.
    """
    return name.startswith((".", _LOCK)) or name.lower() in _LEFT_BEHIND
