"""Outcome of an index run for each file and source."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag.documents.registry import is_unsupported
from rag.index.records import Source
from rag.runtime.files import printable
from rag.types import Failure
from rag.types.parts import is_further_part
from rag.types.reports import IndexReport


@dataclass(slots=True)
class ReportBuilder:
    """Running totals of an index run; :meth:`build` returns the state so far.

    ``before`` are the library's sources when the run began, ``named`` the files given explicitly,
    ``passed_over`` those skipped unopened.
    """

    before: Mapping[str, Source]
    named: Iterable[Path | str]
    passed_over: Iterable[Failure]

    _added: list[str] = field(default_factory=list)
    _updated: list[str] = field(default_factory=list)
    _unchanged: list[str] = field(default_factory=list)
    _removed: list[str] = field(default_factory=list)
    _failed: list[Failure] = field(default_factory=list)
    _skipped: list[Failure] = field(default_factory=list)
    _names: frozenset[str] = field(init=False)
    _began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._names = frozenset(printable(path) for path in self.named)
        self._skipped += self.passed_over

    def add(self, source: Source, *, changed: bool = False) -> None:
        """Record that a source has a document; ``changed`` if it was read again and differs.

        A document in parts is counted once, with its first part.
        """
        if is_further_part(source.path):
            return
        earlier = self.before.get(source.path)
        if earlier is None:
            self._added.append(source.path)
        elif earlier.document_id != source.document_id or changed:
            self._updated.append(source.path)
        else:
            self._unchanged.append(source.path)

    def add_unchanged(self, sources: Iterable[str]) -> None:
        """Record sources whose file is unchanged."""
        self._unchanged += _without_further_parts(sources)

    def add_removed(self, sources: Iterable[str]) -> None:
        """Record sources removed from the library."""
        self._removed += _without_further_parts(sources)

    def add_failures(self, failures: Iterable[Failure]) -> None:
        """Record failures; files of an unsupported type count as skipped instead."""
        for one in failures:
            skipped = is_unsupported(one) and one.source not in self._names
            (self._skipped if skipped else self._failed).append(one)

    def build(self, embedded: int, reused: int) -> IndexReport:
        """The report so far, given the numbers of passages encoded and reused."""
        return IndexReport(
            added=tuple(self._added),
            updated=tuple(self._updated),
            unchanged=tuple(self._unchanged),
            removed=tuple(self._removed),
            failed=tuple(self._failed),
            skipped=tuple(self._skipped),
            embedded=embedded,
            reused=reused,
            seconds=time.monotonic() - self._began,
        )


def _without_further_parts(sources: Iterable[str]) -> Iterator[str]:
    return (one for one in sources if not is_further_part(one))
