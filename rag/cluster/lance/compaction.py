"""Compaction: keep tables fast and small, with few large files and no obsolete versions.

Each commit adds a file, and deleted rows remain in their files and are skipped on every scan. At
the end of a run, files are merged if worthwhile; keys are stable, and readers of an earlier version
are unaffected. If another commit interferes, compaction is left to the next run.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

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


def tidy(tables: Tables) -> None:
    """Compact tables if worthwhile, and delete old versions."""
    for table in (tables.passages, tables.documents, tables.files, tables.notes):
        with suppress(LibraryBusy):
            if _is_worthwhile(table):
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
