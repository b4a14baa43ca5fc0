"""Filters as SQL."""

from __future__ import annotations

from rag.filters import Filter


def as_sql(conditions: Filter) -> tuple[str, list[str]]:
    """A condition on ``document``, with its values apart; it is never empty."""
    clauses, values = ["TRUE"], []
    if conditions.since:
        clauses.append("date >= ?")
        values.append(conditions.since.isoformat())
    if conditions.until:
        clauses.append("date <= ?")
        values.append(conditions.until.isoformat())
    if conditions.source:
        # Brackets are no wildcards here: they are common in names of files.
        pattern = conditions.source.replace("[", "[[]")
        clauses.append(
            "EXISTS (SELECT 1 FROM source WHERE document = document.key"
            " AND (lower(path) GLOB lower(?) OR lower(path) GLOB lower(?)))"
        )
        values += [pattern, f"*/{pattern}"]
    if conditions.title:
        clauses.append("instr(casefold(title), ?) > 0")
        values.append(conditions.title.casefold())
    if conditions.language:
        clauses.append("metadata ->> '$.language' = ?")
        values.append(conditions.language)
    for name, value in conditions.where.items():
        clauses.append(
            "EXISTS (SELECT 1 FROM json_each(metadata) WHERE json_each.key = ?"
            " AND json_each.value = ?)"
        )
        values += [name, value]
    return " AND ".join(clauses), values
