"""The end of a run: update indexes and recount terms.

New rows are searchable even before: Lance scans rows that its indexes lack.
"""

from __future__ import annotations

import random
import time
from collections import Counter

from rag.cluster.lance import compaction, segments, versions, workers
from rag.cluster.lance.filter_sql import one_of
from rag.cluster.lance.statistics import COLUMNS, VERSION, count_part, count_terms, sum_counts
from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.cluster.lance.workers import Workers
from rag.errors import LibraryBusy

ATTEMPTS = 8
SECONDS_BETWEEN = 0.2
"""Base of the delay between attempts in seconds: random, with exponential backoff."""


def publish(tables: Tables, by: Workers | None = None, *, force: bool = False) -> None:
    """Update all derived data, here or on other machines; with ``force``, even if it seems current.

    If runs end concurrently, all but the first retry, as does a run whose counted passages have
    changed meanwhile; after the last attempt, terms may lag behind a little.
    """
    for attempt in range(ATTEMPTS):
        if _counted_version(tables) == tables.passages.version and not (force and attempt == 0):
            return
        try:
            _derive(tables, by)
        except LibraryBusy:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, SECONDS_BETWEEN * 2**attempt))  # noqa: S311 (no secret)


def _counted_version(tables: Tables) -> int | None:
    """Version of the passages at the last term count."""
    found = tables.terms.rows(("passages",), one_of("term", [VERSION]))
    return int(found[0]["passages"]) if found else None


def _derive(tables: Tables, by: Workers | None) -> None:
    held = tables.documents.rows(("sentences", "passages"))
    sentences = sum(row["sentences"] for row in held)
    if by is not None and sentences:
        # First, because files are only merged if covered by the same segments of each index.
        segments.build(tables.passages, sentences, by)
    compaction.tidy(tables)
    tables.passages.index_passages(sentences)
    tables.documents.index_key()
    passages = tables.passages
    counts = _count_terms(passages, by)
    counts[VERSION] = passages.version
    tables.terms.replace([{"term": term, "passages": number} for term, number in counts.items()])
    tables.terms.index_key()
    versions.record(tables, len(held), sum(row["passages"] for row in held))


def _count_terms(passages: Table, by: Workers | None) -> Counter[str]:
    if by is None:
        return count_terms(passages.each(COLUMNS))
    return by.map_reduce(count_part, workers.parts(passages), sum_counts)
