"""Numbers of bytes, as people write them."""

from __future__ import annotations

import os
import re

from rag.errors import InputError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def told_size(variable: str, default: int) -> int:
    """The bytes that an environment variable says, like 500MB; ``default`` where it says nothing.

    Raises
    ------
    InputError
        If it says something else.
    """
    said = os.environ.get(variable, "").strip()
    if not said:
        return default
    size = parse_size(said)
    if size is None:
        raise InputError(
            f"{variable} must be a number of bytes, like 500MB or 2GB, or 0 for none, not “{said}”"
        )
    return size


def parse_size(said: str) -> int | None:
    """The bytes that somebody means who writes 500MB; None if it is no size."""
    parts = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)\s*([a-z]*)", said.strip().lower())
    if not parts or parts[2] not in _UNITS:
        return None
    return int(float(parts[1]) * _UNITS[parts[2]])


def shown_size(size: int) -> str:
    """Bytes as people read them: 740.2 kB, 1.2 MB."""
    power, unit = next((one for one in ((9, "GB"), (6, "MB")) if size >= 10 ** one[0]), (3, "kB"))
    return f"{size / 10**power:,.1f} {unit}"
