"""Versions of a shared library: numbered sets of table versions.

One is recorded at the end of each run that changed something, in a note, and with a tag in each
table that keeps Lance from deleting it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rag.cluster.lance.notes import SharedNotes
from rag.cluster.lance.storage import translate_errors
from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.errors import InputError
from rag.types.reports import Version

KEPT = 10
"""Number of versions kept; each takes as much storage as changed since the one before."""

_NAMED, _TAG = "version:", "version-{}"


def record(tables: Tables, documents: int, passages: int) -> None:
    """Record the current state as a version, and forget the oldest."""
    notes, of_version = SharedNotes(tables), _tables(tables)
    numbers = [one.number for one in versions(tables)]
    number = max(numbers, default=0) + 1
    for table in of_version.values():
        _tag(table, number)
    state = {
        "time": dt.datetime.now(dt.UTC).isoformat(),
        "documents": documents,
        "passages": passages,
        "tables": {name: table.version for name, table in of_version.items()},
    }
    notes.keep(f"{_NAMED}{number}", json.dumps(state))
    old = numbers[KEPT - 1 :]
    for table in of_version.values():
        _untag(table, old)
    notes.forget(f"{_NAMED}{one}" for one in old)


def versions(tables: Tables) -> list[Version]:
    """The recorded versions, newest first."""
    found = [
        Version(
            number=int(name.removeprefix(_NAMED)),
            time=dt.datetime.fromisoformat(state["time"]),
            documents=state["documents"],
            passages=state["passages"],
        )
        for name, state in _recorded(tables).items()
    ]
    return sorted(found, key=lambda one: -one.number)


def restore(tables: Tables, number: int) -> None:
    """Restore the tables to a version; passages last, as searches read them.

    Raises
    ------
    InputError
        If there is no such version.
    """
    state = _recorded(tables).get(f"{_NAMED}{number}")
    if state is None:
        known = ", ".join(str(one.number) for one in versions(tables))
        raise InputError(
            f"{tables.url} has no version {number}; it has {known or 'none'}: rag status --versions"
        )
    for name, table in _tables(tables).items():
        before = table.at(state["tables"][name])
        if before is None:
            raise InputError(
                f"version {number} of {tables.url} is gone; name a later one: rag status --versions"
            )
        with translate_errors(tables.url):
            before.dataset.restore()  # type: ignore[no-untyped-call]


def _tables(tables: Tables) -> dict[str, Table]:
    """The tables that have versions, passages last."""
    found = tables.all()
    return {name: found[name] for name in ("files", "documents", "terms", "passages")}


def _recorded(tables: Tables) -> dict[str, dict[str, Any]]:
    return {name: json.loads(value) for name, value in SharedNotes(tables).all(_NAMED).items()}


def _tag(table: Table, number: int) -> None:
    # Another run may have ended at the same time: the later one wins.
    with translate_errors(table.url):
        with _ignore_done("already exists"):
            table.dataset.tags.create(_TAG.format(number), table.version)
        table.dataset.tags.update(_TAG.format(number), table.version)


def _untag(table: Table, numbers: Iterable[int]) -> None:
    with translate_errors(table.url):
        for number in numbers:
            with _ignore_done("does not exist", "Not found"):
                table.dataset.tags.delete(_TAG.format(number))


@contextmanager
def _ignore_done(*messages: str) -> Iterator[None]:
    """Ignore errors that mean it was already done, here or by a concurrent run."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        if not any(words in str(error) for words in messages):
            raise
