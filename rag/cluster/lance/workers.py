"""Distribute the end of a run over other machines, if there are any, by parts of the passages."""

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
"""Rows per part, unless one file has more: few enough that a lost machine costs little, enough that
terms common to all parts add little overhead."""


class Workers(Protocol):
    """Other machines, such as :class:`rag.cluster.ray.pipeline.Machines`."""

    def map_reduce(
        self,
        work: Callable[[_Part], _Result],
        parts: Sequence[_Part],
        join: Callable[[Sequence[_Result]], _Result],
    ) -> _Result:
        """Map ``work`` over the parts and reduce the results with ``join``, some at a time.
        Everything sent must be picklable, and parts may be processed twice.
        """
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """Some files of the passages table at one version."""

    url: str
    dimension: int
    version: int
    files: tuple[int, ...]

    def table(self) -> Table:
        """The whole passages table, including other parts.

        Raises
        ------
        LibraryError
            If the version has been deleted.
        """
        table = Tables(self.url, self.dimension).passages.at(self.version)
        if table is None:
            raise LibraryError(
                f"{self.url} was cleared while its indexes were being built; index again: rag index"
            )
        return table


def parts(table: Table) -> list[Part]:
    """Split a table into at least one part."""
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
