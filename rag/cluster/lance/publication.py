"""The end of a run: indexes are brought up to date, and terms counted anew.

New rows are found before that: Lance looks through what its indexes lack, row by row.
"""

from __future__ import annotations

import random
import time
from collections import Counter

from rag.cluster.lance import compaction, segments, versions, workers
from rag.cluster.lance.filter_sql import one_of
from rag.cluster.lance.statistics import COLUMNS, VERSION, added, counted, counted_in
from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.cluster.lance.workers import Workers
from rag.errors import LibraryBusy

ATTEMPTS = 8
SECONDS_BETWEEN = 0.2
"""Between two attempts, by chance up to that at first, and up to twice as long each time."""


def publish(tables: Tables, by: Workers | None = None, *, anew: bool = False) -> None:
    """Bring all that is derived up to date, here or by others; ``anew``, what seems to be, too.

    Others may end a run at the same moment. Whoever comes second begins once more, and so does who
    counted what has changed meanwhile; after some attempts terms stay a little behind.
    """
    for attempt in range(ATTEMPTS):
        if _counted_version(tables) == tables.passages.version and not (anew and attempt == 0):
            return
        try:
            _derive(tables, by)
        except LibraryBusy:
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, SECONDS_BETWEEN * 2**attempt))  # noqa: S311 (no secret)


def _counted_version(tables: Tables) -> int | None:
    """Of the passages whose terms were counted."""
    found = tables.terms.rows(("passages",), one_of("term", [VERSION]))
    return int(found[0]["passages"]) if found else None


def _derive(tables: Tables, by: Workers | None) -> None:
    held = tables.documents.rows(("sentences", "passages"))
    sentences = sum(row["sentences"] for row in held)
    if by is not None and sentences:
        # First: what is written together has to be in the same part of each index.
        segments.make(tables.passages, sentences, by)
    compaction.tidy(tables)
    tables.passages.index_passages(sentences)
    tables.documents.index_key()
    passages = tables.passages
    counts = _counted(passages, by)
    counts[VERSION] = passages.version
    tables.terms.replace([{"term": term, "passages": number} for term, number in counts.items()])
    tables.terms.index_key()
    versions.keep(tables, len(held), sum(row["passages"] for row in held))


def _counted(passages: Table, by: Workers | None) -> Counter[str]:
    if by is None:
        return counted(passages.each(COLUMNS))
    return by.gathered(counted_in, workers.parts(passages), added)
