"""Translate filters and query clauses to SQL, which Lance applies before ranking (prefiltering).

Each condition is on a column that :mod:`rag.cluster.lance.rows` fills for it, so that filters mean
the same as in the embedded engine: text compared regardless of case or Unicode form is folded on
writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.text.unicode import plain
from rag.types.filters import Filter, beginning
from rag.types.parts import whole_source

SEPARATOR = "\x1f"
"""Separates name and value of a metadata field, and paths; never occurs in text that was read."""

TOGETHER = 1000
"""Maximum number of values per condition."""

NOTHING = "false"
"""A condition that matches nothing."""


def quote(text: str) -> str:
    """Quote a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def one_of(column: str, values: Iterable[str]) -> str:
    """Condition: a column has one of the values."""
    listed = ", ".join(map(quote, values))
    return f"{column} IN ({listed})" if listed else NOTHING


def any_of(column: str, values: Iterable[str]) -> str:
    """Condition: a list column contains one of the values."""
    listed = ", ".join(map(quote, values))
    return f"array_has_any({column}, make_array({listed}))" if listed else NOTHING


def in_batches(values: Iterable[str]) -> Iterator[Sequence[str]]:
    """Split values into groups that fit in one condition."""
    listed = list(values)
    for start in range(0, len(listed), TOGETHER):
        yield listed[start : start + TOGETHER]


def all_of(conditions: Iterable[str | None]) -> str | None:
    """Conjunction of conditions, None for those that always hold; None if there are no others."""
    return " AND ".join(f"({one})" for one in conditions if one) or None


def phrase_conditions(phrases: Sequence[str], without: Sequence[str]) -> list[str]:
    """Conditions for phrases that passages must and must not contain, each in the form of
    :func:`rag.cluster.lance.rows.literal_words`; an empty one matches nothing.
    """
    must = [f"contains(literal, {quote(one)})" if one else NOTHING for one in phrases]
    return must + [f"NOT contains(literal, {quote(one)})" for one in without if one]


def fold_paths(paths: Iterable[str]) -> str:
    """Fold paths for source filters; for a part, the path of the whole document."""
    return "\n".join(_fold_path(whole_source(path)) for path in paths)


def _fold_path(path: str) -> str:
    # Like SQLite's lower(), which folds ASCII only: other letters in file names are case-sensitive.
    lines = plain(path).replace("\n", SEPARATOR)
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), lines)


def document_conditions(condition: Filter, paths: str) -> Iterator[str]:
    """Conditions for documents, or for their passages; ``paths`` is the column with the paths of
    their sources.
    """
    if condition.needs_own_date:
        yield "(date_from IS NULL OR date_from != 'file time')"
    if condition.since:
        yield f"date >= {quote(condition.since.isoformat())}"
    if condition.until:
        yield f"date <= {quote(condition.until.isoformat())}"
    if condition.source:
        pattern = "".join(map(_glob_to_regex, _fold_path(condition.source)))
        yield f"regexp_like(located, {quote(f'(?m)^(.*/)?{pattern}$')})"
    if condition.title:
        yield f"contains(folded, {quote(plain(condition.title).casefold())})"
    if condition.language:
        yield f"language = {quote(plain(condition.language))}"
    for name, value in condition.where.items():
        yield f"array_has(facts, {quote(plain(name) + SEPARATOR + plain(value))})"
    if condition.folders:
        places = "|".join(
            f"{re.escape(folder)}({SEPARATOR}|$)|{re.escape(beginning(folder))}"
            for folder in condition.folders
        )
        joined = f"array_to_string({paths}, {quote(SEPARATOR)})"
        yield f"regexp_like({joined}, {quote(f'(^|{SEPARATOR})({places})')})"


def _glob_to_regex(letter: str) -> str:
    """Translate a character of a glob pattern to regex; only ``*`` and ``?`` are wildcards."""
    return {"*": ".*", "?": "."}.get(letter) or re.escape(letter)
