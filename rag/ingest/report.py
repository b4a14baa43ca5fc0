"""What became of each file and source in one run over a set of files."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag.documents.registry import is_of_unknown_kind
from rag.index.sqlite import Source
from rag.runtime.files import printable
from rag.types import Failure
from rag.types.parts import is_further_part
from rag.types.reports import IndexReport


@dataclass(slots=True)
class Tally:
    """Counts as the run goes; :meth:`report` says what was done so far.

    ``before`` are the sources as the library had them when the run began, ``named`` the files
    that were asked for by name, ``passed_over`` what was skipped without a look.
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

    def holds(self, source: Source, *, anew: bool = False) -> None:
        """A source holds a document; ``anew`` where the document was read again, and differs.

        A document in parts counts with its first one.
        """
        if is_further_part(source.path):
            return
        earlier = self.before.get(source.path)
        if earlier is None:
            self._added.append(source.path)
        elif earlier.document_id != source.document_id or anew:
            self._updated.append(source.path)
        else:
            self._unchanged.append(source.path)

    def leaves(self, sources: Iterable[str]) -> None:
        """These were not touched: their file is as it was."""
        self._unchanged += _wholes(sources)

    def lost(self, sources: Iterable[str]) -> None:
        """These are gone from the library."""
        self._removed += _wholes(sources)

    def fails(self, failures: Iterable[Failure]) -> None:
        """Of a kind that nothing reads is skipped; whatever else went wrong has failed."""
        for one in failures:
            skipped = is_of_unknown_kind(one) and one.source not in self._names
            (self._skipped if skipped else self._failed).append(one)

    def report(self, embedded: int, reused: int) -> IndexReport:
        """What was done so far, with the passages that went through the model or had before."""
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


def _wholes(sources: Iterable[str]) -> Iterator[str]:
    return (one for one in sources if not is_further_part(one))
