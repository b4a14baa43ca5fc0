"""Browse the store: list documents, and find the neighbours of a passage."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from rag.index import columns
from rag.index.records import Order, Source, StoredPassage, sound
from rag.index.sqlite.database import Database
from rag.index.sqlite.filter_sql import FURTHER_PARTS, WHOLE, as_sql
from rag.index.sqlite.reader import StoreReader
from rag.types import DocumentSummary
from rag.types.filters import Filter
from rag.types.parts import MARK
from rag.types.reports import Dates, Facets

_ORDERS: Mapping[Order, str] = MappingProxyType(
    {
        "newest": "date_from = 'file time', date DESC, title, id",
        "oldest": "date_from = 'file time', date IS NULL, date, title, id",
        "title": "casefold(title), id",
        "source": "source, id",
        "language": "language IS NULL, language, title, id",
        "pages": "page_count DESC, title, id",
        "passages": "passages DESC, title, id",
    }
)


_FURTHER = (
    f"SELECT document FROM source WHERE path > first.source || '{MARK}'"  # noqa: S608 (our own)
    f" AND path < first.source || '{MARK}:'"  # a colon comes after the digits
)
"""The other parts of the document whose first part is ``first``."""


class Catalogue:
    """The current documents in a sorted order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, conditions: Filter) -> int:
        """Number of documents that meet all conditions."""
        clauses, values = as_sql(conditions)
        statement = f"SELECT count(*) FROM document WHERE {WHOLE} AND {clauses}"  # noqa: S608
        return int(self._database.value(statement, values))

    @sound
    def documents(
        self, conditions: Filter, order: Order, offset: int, limit: int | None
    ) -> list[DocumentSummary]:
        """One page of the documents that meet all conditions; all from ``offset`` on if no
        limit.
        """
        clauses, values = as_sql(conditions)
        rows = self._database.execute(
            "WITH first AS (SELECT key, id, title,"  # noqa: S608 (values apart)
            "  (SELECT min(path) FROM source WHERE document = document.key) AS source, date,"
            "  metadata ->> '$.date_from' AS date_from, language,"
            "  json_array_length(pages) AS pages, warnings"
            f" FROM document WHERE {WHOLE} AND {clauses})"
            "SELECT id, title, source, date,"
            " (SELECT count(*) FROM passage WHERE document = first.key)"
            f" + (SELECT count(*) FROM ({_FURTHER}) JOIN passage USING (document)) AS passages,"
            " date_from, language,"
            # The pages of a part include those of earlier parts.
            " max(pages, (SELECT coalesce(max(json_array_length(document.pages)), 0)"
            f"  FROM ({_FURTHER}) AS part JOIN document ON document.key = part.document))"
            " AS page_count,"
            " warnings, (SELECT json_group_array(value)"
            f"  FROM ({_FURTHER}) AS part JOIN document ON document.key = part.document,"
            "  json_each(document.warnings))"
            f" FROM first ORDER BY {_ORDERS[order]} LIMIT ? OFFSET ?",
            (*values, -1 if limit is None else limit, offset),
        )
        return [
            DocumentSummary(
                id=row[0],
                title=row[1],
                source=row[2],
                date=columns.date(row[3]),
                passages=row[4],
                date_from=row[5],
                language=row[6],
                pages=row[7],
                warnings=(*json.loads(row[8]), *json.loads(row[9])),
            )
            for row in rows
        ]

    @sound
    def dates(self) -> Dates:
        """Number of documents by month, and without a date of their own."""
        rows = self._database.execute(
            "SELECT CASE WHEN date IS NULL THEN 'none'"  # noqa: S608 (our own)
            " WHEN metadata ->> '$.date_from' = 'file time' THEN 'file'"
            " ELSE substr(date, 1, 7) || '-01' END AS month, count(*)"
            f" FROM document WHERE {WHOLE} GROUP BY month ORDER BY month"
        )
        counts = dict(rows.fetchall())
        undated, file_time = counts.pop("none", 0), counts.pop("file", 0)
        months = {dt.date.fromisoformat(day): number for day, number in counts.items()}
        return Dates(months, undated, file_time)

    @sound
    def facets(self) -> Facets:
        """Number of documents by facet; a document with several sources counts by its first."""
        languages = self._database.execute(
            "SELECT language, count(*) FROM document"  # noqa: S608 (our own)
            f" WHERE language IS NOT NULL AND {WHOLE} GROUP BY language"
            " ORDER BY count(*) DESC, language"
        )
        sources = self._database.execute(
            f"SELECT min(path) FROM source WHERE NOT {FURTHER_PARTS} GROUP BY document"  # noqa: S608
        )
        types = Counter(PurePath(path).suffix.lower() for (path,) in sources)
        ends = self._database.execute(
            "SELECT min(date), max(date) FROM document"
            " WHERE metadata ->> '$.date_from' IS NOT 'file time'"
        ).fetchone()
        return Facets(
            languages=dict(languages.fetchall()),
            types={suffix: number for suffix, number in types.most_common() if suffix},
            first=columns.date(ends[0]),
            last=columns.date(ends[1]),
        )

    def sample(self, count: int) -> list[StoredPassage]:
        """Up to ``count`` passages from all over the library.

        Ids are hashes, so passages with the lowest ids are as good as a random sample, yet the same
        documents always give the same passages, and adding a document changes few of them.
        """
        rows = self._database.execute("SELECT key FROM passage ORDER BY id LIMIT ?", (count,))
        keys = [key for (key,) in rows]
        found = StoreReader(self._database).passages(keys)
        return [found[key] for key in keys if key in found]

    def sources(self, document_id: str) -> list[Source]:
        """All sources of a document, by path; empty if there is no such document."""
        rows = self._database.execute(
            "SELECT path, file, id FROM source"
            " JOIN document ON document.key = source.document WHERE document.id = ? ORDER BY path",
            (document_id,),
        )
        return [Source(*row) for row in rows]
