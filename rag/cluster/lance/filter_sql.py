"""Filters and clauses as SQL, which Lance looks at before it ranks anything.

Each condition is on a column that :mod:`rag.cluster.lance.rows` makes for it, so that it means what
it means in the embedded engine: what is the same there in upper and lower case, or in two forms
that Unicode has for a letter, is folded when it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.text.unicode import plain
from rag.types import Clauses
from rag.types.filters import Filter
from rag.types.parts import whole_source

SEPARATOR = "\x1f"
"""Between the name and the value of what is known of a document; no text that was read has it."""

TOGETHER = 1000
"""Values in one condition."""

NOTHING = "false"
"""A condition that no passage meets."""


def quoted(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def one_of(column: str, values: Iterable[str]) -> str:
    """That a column has one of some values."""
    listed = ", ".join(map(quoted, values))
    return f"{column} IN ({listed})" if listed else NOTHING


def any_of(column: str, values: Iterable[str]) -> str:
    """That a list has one of some values."""
    listed = ", ".join(map(quoted, values))
    return f"array_has_any({column}, make_array({listed}))" if listed else NOTHING


def in_groups(values: Iterable[str]) -> Iterator[Sequence[str]]:
    """Values as one condition after the other may have them."""
    listed = list(values)
    for start in range(0, len(listed), TOGETHER):
        yield listed[start : start + TOGETHER]


def all_of(conditions: Iterable[str]) -> str | None:
    """That all conditions hold; None where there is none."""
    return " AND ".join(f"({one})" for one in conditions) or None


def of_documents(conditions: Sequence[Filter]) -> list[str]:
    """What must hold for a document, or a passage of one."""
    return [one for condition in conditions for one in _parts(condition)]


def of_words(clauses: Clauses, literal: Sequence[str], without: Sequence[str]) -> list[str]:
    """What must hold for the words of a passage as they are written.

    Parameters
    ----------
    literal, without
        The phrases of ``clauses`` as :func:`rag.cluster.lance.rows.literally` has them; empty for
        one without a word, which stands nowhere.
    """
    must = [f"contains(literal, {quoted(one)})" if one else NOTHING for one in literal]
    not_there = [f"NOT contains(literal, {quoted(one)})" for one in without if one]
    return must + not_there if clauses else []


def located(paths: Iterable[str]) -> str:
    """Paths as conditions on sources compare them; of a part, that of the whole."""
    return "\n".join(_folded(whole_source(path)) for path in paths)


def _folded(path: str) -> str:
    # As SQLite's lower() has it: in file names only these letters are the same.
    ascii_lower = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ\n", "abcdefghijklmnopqrstuvwxyz\x1f")
    return plain(path).translate(ascii_lower)


def _parts(condition: Filter) -> Iterator[str]:
    if condition.since:
        yield f"date >= {quoted(condition.since.isoformat())}"
    if condition.until:
        yield f"date <= {quoted(condition.until.isoformat())}"
    if condition.source:
        pattern = "".join(map(_wild, _folded(condition.source)))
        yield f"regexp_like(located, {quoted(f'(?m)^(.*/)?{pattern}$')})"
    if condition.title:
        yield f"contains(folded, {quoted(plain(condition.title).casefold())})"
    if condition.language:
        yield f"language = {quoted(plain(condition.language))}"
    for name, value in condition.where.items():
        yield f"array_has(facts, {quoted(plain(name) + SEPARATOR + plain(value))})"


def _wild(letter: str) -> str:
    """A letter of a pattern as a regular expression; only ``*`` and ``?`` are wild."""
    return {"*": ".*", "?": "."}.get(letter) or re.escape(letter)
