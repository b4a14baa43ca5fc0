"""The end of a run: indexes are brought up to date, and terms counted anew.

New rows are found before that: Lance looks through what its indexes lack, row by row.
"""

from __future__ import annotations

from rag.shared.conditions import one_of
from rag.shared.lance_tables import Tables
from rag.shared.statistics import COLUMNS, VERSION, counted


def publish(tables: Tables, *, anew: bool = False) -> None:
    """Bring all that is derived up to date; ``anew``, what seems to be, too."""
    counted_of = tables.terms.rows(("passages",), one_of("term", [VERSION]))
    seen = counted_of[0]["passages"] if counted_of else None
    if seen == tables.passages.version and not anew:
        return
    sentences = sum(row["sentences"] for row in tables.documents.rows(("sentences",)))
    tables.passages.index_passages(sentences)
    tables.documents.index_key()
    passages = tables.passages
    counts = counted(passages.each(COLUMNS))
    counts[VERSION] = passages.version
    tables.terms.replace([{"term": term, "passages": number} for term, number in counts.items()])
    tables.terms.index_key()
