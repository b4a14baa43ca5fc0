"""Browsing a shared library."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from rag.cluster.lance import rows
from rag.cluster.lance.filter_sql import all_of, document_conditions, quote
from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.index.columns import Row
from rag.index.records import Order, Source, StoredPassage
from rag.types import DocumentSummary
from rag.types.filters import Filter
from rag.types.parts import is_further_part, whole_source
from rag.types.reports import Dates, Facets

_ORDERS: Mapping[Order, Callable[[DocumentSummary], tuple[Any, ...]]] = MappingProxyType(
    {
        "newest": lambda one: (_of_file(one), -_day(one), one.title, one.id),
        "oldest": lambda one: (_of_file(one), one.date is None, _day(one), one.title, one.id),
        "title": lambda one: (one.title.casefold(), one.id),
        "source": lambda one: (one.source, one.id),
        "language": lambda one: (one.language is None, one.language or "", one.title, one.id),
        "pages": lambda one: (-one.pages, one.title, one.id),
        "passages": lambda one: (-one.passages, one.title, one.id),
    }
)


class SharedCatalogue:
    """Implements :class:`rag.index.engine.Catalogue`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def count(self, conditions: Filter) -> int:
        """Number of documents that match all filters."""
        return sum(map(rows.is_whole, self._matching(("paths",), conditions)))

    def documents(
        self, conditions: Filter, order: Order, offset: int, limit: int | None
    ) -> list[DocumentSummary]:
        """A page of the documents that match all filters; without a limit, all from ``offset``."""
        found = _summaries(self._matching(rows.SUMMARY, conditions))
        last = None if limit is None else offset + limit
        return sorted(found, key=_ORDERS[order])[offset:last]

    def _matching(self, columns: Sequence[str], conditions: Filter) -> list[Row]:
        return self._documents.rows(columns, all_of(document_conditions(conditions, "paths")))

    def dates(self) -> Dates:
        """Number of documents per month, and of documents without a date."""
        months: Counter[dt.date] = Counter()
        undated = file_time = 0
        for row in self._documents.rows(("date", "date_from", "paths")):
            if not rows.is_whole(row):
                continue
            if row["date"] is None:
                undated += 1
            elif row["date_from"] == "file time":
                file_time += 1
            else:
                months[dt.date.fromisoformat(row["date"]).replace(day=1)] += 1
        return Dates(dict(sorted(months.items())), undated, file_time)

    def facets(self) -> Facets:
        """Document facets and their counts."""
        columns = ("language", "paths", "date", "date_from")
        found = [row for row in self._documents.rows(columns) if rows.is_whole(row)]
        languages = Counter(row["language"] for row in found if row["language"])
        types = Counter(PurePath(min(row["paths"])).suffix.lower() for row in found if row["paths"])
        own = (row["date"] for row in found if row["date_from"] != "file time")
        dates = [dt.date.fromisoformat(date) for date in own if date]
        return Facets(
            languages=dict(languages.most_common()),
            types={suffix: number for suffix, number in types.most_common() if suffix},
            first=min(dates, default=None),
            last=max(dates, default=None),
        )

    def sample(self, count: int) -> list[StoredPassage]:
        """Up to ``count`` passages from the whole library: those with the smallest ids."""
        passages = self._tables.passages
        keys = passages.first_keys("id", count)
        found = passages.take(keys, rows.PASSAGE)
        return [rows.stored_passage(key, found[key]) for key in keys if key in found]

    def sources(self, document_id: str) -> list[Source]:
        """All sources of a document, by path."""
        where = f"id = {quote(document_id)}"
        return rows.sources_of(self._documents.rows(("id", "paths", "files"), where))

    @property
    def _documents(self) -> Table:
        return self._tables.documents


def _summaries(found: Iterable[Row]) -> Iterator[DocumentSummary]:
    """Document summaries for a list, each with its parts."""
    parts: dict[str, list[DocumentSummary]] = {}
    for one in sorted(map(rows.summary, found), key=lambda one: one.source):
        parts.setdefault(whole_source(one.source) or one.id, []).append(one)
    for some in parts.values():
        if not is_further_part(some[0].source):
            yield replace(
                some[0],
                passages=sum(one.passages for one in some),
                pages=max(one.pages for one in some),
                warnings=tuple(line for one in some for line in one.warnings),
            )


def _of_file(one: DocumentSummary) -> bool:
    return one.date_from == "file time"


def _day(one: DocumentSummary) -> int:
    return one.date.toordinal() if one.date else 0
