"""Who does the end of a run: other machines, where it has some, each a part of the passages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rag.cluster.lance.table import Table
from rag.cluster.lance.tables import Tables
from rag.errors import LibraryError

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")

ROWS = 50_000
"""In a part, unless one file has more: so few that a lost machine costs little, so many that words
which are in every part are few."""


class Workers(Protocol):
    """Other machines: those of :class:`rag.cluster.ray.pipeline.Machines`."""

    def gathered(
        self,
        work: Callable[[_Part], _Result],
        parts: Sequence[_Part],
        join: Callable[[Sequence[_Result]], _Result],
    ) -> _Result:
        """What ``work`` gives for each part, some of them joined at a time until one is left. All
        that goes there and back can be pickled, and each part may be done twice.
        """
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Some files of the passages as they were at one version."""

    url: str
    dimension: int
    version: int
    files: tuple[int, ...]

    def table(self) -> Table:
        """The passages, with those of other parts.

        Raises
        ------
        LibraryError
            If the version is kept no more.
        """
        table = Tables(self.url, self.dimension).passages.at(self.version)
        if table is None:
            raise LibraryError(
                f"{self.url} was cleared while its indexes were made; index once more: rag index"
            )
        return table


def parts(table: Table) -> list[Part]:
    """A table taken apart; one part at least."""
    return [
        Part(table.url, table.dimension, table.version, files)
        for files in list(_groups(table.files())) or [()]
    ]


def _groups(rows: dict[int, int]) -> Iterator[tuple[int, ...]]:
    group: list[int] = []
    held = 0
    for file, count in rows.items():
        if group and held + count > ROWS:
            yield tuple(group)
            group, held = [], 0
        group.append(file)
        held += count
    if group:
        yield tuple(group)
