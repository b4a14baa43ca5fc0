"""What keeps tables quick and small: few large files, and no versions that nobody goes back to.

Each commit adds a file, and each deletion leaves rows behind that are read over. At the end of a
run they are written together, where that is worth it; keys stay, and readers of an earlier version
go on. What others commit at the same moment comes first: then the next run does it.
"""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

from rag.cluster.lance.storage import told
from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.errors import LibraryBusy

ROWS = 100_000
"""In a file, at most: of passages about a gigabyte."""

MOST_FILES = 16
"""That are not full, before they are written together."""

MOST_DELETED = 0.2
"""Share of a table's rows that may be deleted, before they are left out."""

ALL = 1_000_000
"""Parts of an index: as many as there are."""

KEPT_FOR = dt.timedelta(days=1)
"""How long a version stays that has no name: nobody reads one for longer."""


def tidy(tables: Tables) -> None:
    """Write files together where that is worth it, and let old versions go."""
    for table in (tables.passages, tables.documents, tables.files, tables.notes):
        with suppress(LibraryBusy):
            if _is_worth_it(table):
                compact(table)


def compact(table: Table) -> None:
    """Write small files together, without the rows that are deleted.

    Raises
    ------
    LibraryBusy
        If others write the same rows.
    """
    with told(table.url):
        # Lance writes only such files together that are in the same parts of each index.
        table.dataset.optimize.optimize_indices(num_indices_to_merge=ALL)
        table.dataset.optimize.compact_files(
            target_rows_per_fragment=ROWS, materialize_deletions_threshold=MOST_DELETED
        )
        table.dataset.cleanup_old_versions(KEPT_FOR, error_if_tagged_old_versions=False)


def _is_worth_it(table: Table) -> bool:
    with told(table.url):
        files = table.dataset.get_fragments()
        rows = [one.count_rows() for one in files]
        written = sum(one.physical_rows for one in files)
    not_full = sum(one < ROWS for one in rows)
    return not_full > MOST_FILES or (written > 0 and 1 - sum(rows) / written > MOST_DELETED)
