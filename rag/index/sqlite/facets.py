"""Facets: number of documents by language and type."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import PurePath

from rag.index.records import sound
from rag.index.sqlite.database import Database
from rag.index.sqlite.filter_sql import FURTHER_PARTS, WHOLE
from rag.types.reports import Facets


@sound
def facets(database: Database) -> Facets:
    """Facets of all documents; a document with several sources counts by its first."""
    connection = database.connection
    languages = connection.execute(
        "SELECT language, count(*) FROM document"  # noqa: S608 (our own)
        f" WHERE language IS NOT NULL AND {WHOLE} GROUP BY language"
    )
    sources = connection.execute(
        f"SELECT min(path) FROM source WHERE NOT {FURTHER_PARTS} GROUP BY document"  # noqa: S608
    )
    types = Counter(PurePath(path).suffix.lower() for (path,) in sources)
    first, last = connection.execute("SELECT min(date), max(date) FROM document").fetchone()
    return Facets(
        languages=dict(Counter(dict(languages.fetchall())).most_common()),
        types={suffix: number for suffix, number in types.most_common() if suffix},
        first=dt.date.fromisoformat(first) if first else None,
        last=dt.date.fromisoformat(last) if last else None,
    )
