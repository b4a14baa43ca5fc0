"""The end of a run: merge files, update indexes and recount terms.

New rows are searchable even before: Lance scans rows that its indexes lack. Each commit adds a
file, and deleted rows remain in their files and are skipped on every scan; so files are merged if
worthwhile. Keys are stable, and readers of an earlier version are unaffected. If another commit
interferes, that is left to the next run.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from contextlib import suppress

from rag.cluster.lance import indexes, versions
from rag.cluster.lance.filter_sql import quote
from rag.cluster.lance.indexes import HERE, Workers
from rag.cluster.lance.statistics import VERSION, count_part, sum_counts
from rag.cluster.lance.storage import translate_errors
from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.errors import LibraryBusy

ROWS = 100_000
"""Maximum rows per file: about a gigabyte of passages."""

MOST_FILES = 16
"""Number of files that are not full above which they are merged."""

MOST_DELETED = 0.2
"""Share of deleted rows above which files are rewritten."""

ALL = 1_000_000
"""Number of index parts to merge: all of them."""

KEPT_FOR = dt.timedelta(days=1)
"""How long an unnamed version is kept: no reader needs one for longer."""

ATTEMPTS = 8
SECONDS_BETWEEN = 0.2
"""Base of the delay between attempts in seconds: random, with exponential backoff."""


def publish(tables: Tables, by: Workers = HERE, *, force: bool = False) -> None:
    """Update all derived data, here or on other machines; with ``force``, even if it seems current.

    If runs end concurrently, all but the first retry, as does a run whose counted passages have
    changed meanwhile; after the last attempt, terms may lag behind a little.
    """
    for attempt in range(ATTEMPTS):
        counted = tables.terms.rows(("passages",), f"term = {quote(VERSION)}")
        is_current = [row["passages"] for row in counted] == [tables.passages.version]
        if is_current and not (force and attempt == 0):
            return
        try:
            _derive(tables, by)
        except LibraryBusy:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, SECONDS_BETWEEN * 2**attempt))  # noqa: S311 (no secret)


def _derive(tables: Tables, by: Workers) -> None:
    held = tables.documents.rows(("sentences", "passages"))
    if sentences := sum(row["sentences"] for row in held):
        # First, because files are only merged if covered by the same segments of each index.
        indexes.update(tables, sentences, by)
    tidy(tables)
    indexes.add_new_rows(tables.passages)
    indexes.add_new_rows(tables.documents)
    passages = tables.passages
    counts = by.map_reduce(count_part, indexes.parts(passages), sum_counts)
    counts[VERSION] = passages.version
    tables.terms.replace([{"term": term, "passages": number} for term, number in counts.items()])
    indexes.add_new_rows(tables.terms)
    versions.record(tables, len(held), sum(row["passages"] for row in held))


def tidy(tables: Tables) -> None:
    """Compact tables if worthwhile, and delete old versions."""
    for name, table in tables.all().items():
        with suppress(LibraryBusy):
            if name != "terms" and _is_worthwhile(table):
                compact(table)


def compact(table: Table) -> None:
    """Merge small files and drop deleted rows.

    Raises
    ------
    LibraryBusy
        If others write the same rows.
    """
    with translate_errors(table.url):
        # Lance only merges files covered by the same segments of each index.
        table.dataset.optimize.optimize_indices(num_indices_to_merge=ALL)
        table.dataset.optimize.compact_files(
            target_rows_per_fragment=ROWS, materialize_deletions_threshold=MOST_DELETED
        )
        table.dataset.cleanup_old_versions(KEPT_FOR, error_if_tagged_old_versions=False)


def _is_worthwhile(table: Table) -> bool:
    with translate_errors(table.url):
        files = table.dataset.get_fragments()
        rows = [one.count_rows() for one in files]
        written = sum(one.physical_rows for one in files)
    not_full = sum(one < ROWS for one in rows)
    return not_full > MOST_FILES or (written > 0 and 1 - sum(rows) / written > MOST_DELETED)
