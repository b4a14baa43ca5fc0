"""Parse and format numbers of bytes."""

from __future__ import annotations

import os
import re

from rag.errors import InputError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def size_from_environment(variable: str, default: int) -> int:
    """The size in an environment variable, such as 500MB; ``default`` if it is unset.

    Raises
    ------
    InputError
        If it is not a valid size.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    size = parse_size(text)
    if size is None:
        raise InputError(
            f"{variable} must be a number of bytes, like 500MB or 2GB, or 0 for none, not “{text}”"
        )
    return size


def parse_size(text: str) -> int | None:
    """Parse a size such as 500MB into bytes; None if it is invalid."""
    parts = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)\s*([a-z]*)", text.strip().lower())
    if not parts or parts[2] not in _UNITS:
        return None
    return int(float(parts[1]) * _UNITS[parts[2]])


def format_size(size: int) -> str:
    """Format a number of bytes: 740.2 kB, 1.2 MB."""
    power, unit = next((one for one in ((9, "GB"), (6, "MB")) if size >= 10 ** one[0]), (3, "kB"))
    return f"{size / 10**power:,.1f} {unit}"
