"""Filters as SQL."""

from __future__ import annotations

import json

from rag.text.unicode import plain
from rag.types.filters import Filter, beginning
from rag.types.parts import MARK

FURTHER_PARTS = f"path GLOB '*{MARK}[0-9]*'"
"""A condition on ``source``: it is that of a part after the first."""

WHOLE = (
    "NOT EXISTS (SELECT 1 FROM source WHERE document = document.key"  # noqa: S608 (our own)
    f" AND {FURTHER_PARTS})"
)
"""A condition on ``document``: it is a whole document, or the first part of one."""


def as_sql(conditions: Filter) -> tuple[str, list[str]]:
    """A condition on ``document``, and its parameters; never empty.

    Titles and metadata are already normalized; paths are as the system has them.
    """
    clauses, values = ["TRUE"], []
    if conditions.needs_own_date:
        clauses.append("metadata ->> '$.date_from' IS NOT 'file time'")
    if conditions.since:
        clauses.append("date >= ?")
        values.append(conditions.since.isoformat())
    if conditions.until:
        clauses.append("date <= ?")
        values.append(conditions.until.isoformat())
    if conditions.source:
        # Brackets are escaped, not wildcards: they are common in file names.
        pattern = plain(conditions.source).replace("[", "[[]")
        clauses.append(
            "EXISTS (SELECT 1 FROM source WHERE document = document.key"
            " AND '/' || lower(plain(whole_source(path))) GLOB lower(?))"
        )
        values.append(f"*/{pattern}")
    if conditions.title:
        clauses.append("instr(casefold(title), ?) > 0")
        values.append(plain(conditions.title).casefold())
    if conditions.language:
        clauses.append("language = ?")
        values.append(plain(conditions.language))
    for name, value in conditions.where.items():
        clauses.append(
            "EXISTS (SELECT 1 FROM json_each(metadata) WHERE json_each.key = ?"
            " AND json_each.value = ?)"
        )
        values += [plain(name), plain(value)]
    if conditions.folders:
        # As ranges, which the index on paths answers without looking at every source.
        clauses.append(
            "document.key IN (SELECT document FROM json_each(?) AS range CROSS JOIN source"
            " WHERE source.path >= range.value ->> 0 AND source.path < range.value ->> 1)"
        )
        ranges = [pair for folder in conditions.folders for pair in _ranges(folder)]
        values.append(json.dumps(ranges))
    return " AND ".join(clauses), values


def _ranges(folder: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """The ranges, without their ends, of the paths that equal a folder or lie in it."""
    first = beginning(folder)
    return (folder, f"{folder}\x01"), (first, first[:-1] + chr(ord(first[-1]) + 1))
