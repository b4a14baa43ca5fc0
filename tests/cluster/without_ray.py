"""The stages of indexing on a cluster, one after the other in this process: all that is not Ray."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rag.cluster.ray import Fleet, stages
from rag.cluster.ray.stages import FileDigest, Job, WriteResult
from rag.ingest.run_state import FileToRead, ListedFile

FILES_TOGETHER = 2
"""So few that what is in one file comes in several parcels, and several files in one."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class OneProcess:
    """As :class:`rag.cluster.ray.pipeline.Machines` says. What was written comes in the other
    order: a cluster's comes in any.
    """

    def digests(self, files: Sequence[ListedFile]) -> Iterator[FileDigest]:
        """Look at what is in files."""
        yield from reversed(stages.compute_digests(files))

    def index(self, files: Sequence[FileToRead], job: Job) -> Generator[WriteResult]:
        """Read, embed and write."""
        job = _carried(job)
        embedding, writing = stages.Embedding(job), stages.Writing(job)
        groups = [
            files[start : start + FILES_TOGETHER] for start in range(0, len(files), FILES_TOGETHER)
        ]
        written = [
            writing(_carried(embedding(_carried(parcel))))
            for group in groups
            for parcel in stages.read_files(group, job)
        ]
        yield from reversed(written)

    def map_reduce(
        self,
        work: Callable[[_T], _R],
        parts: Sequence[_T],
        join: Callable[[Iterable[_R]], _R],
    ) -> _R:
        """As :class:`rag.cluster.lance.indexes.Workers` says."""
        return _carried(join([_carried(work(_carried(part))) for part in parts]))


@contextmanager
def machines(_: Fleet) -> Iterator[OneProcess]:
    """In the place of :func:`rag.cluster.ray.pipeline.machines`."""
    yield OneProcess()


def _carried(value: _T) -> _T:
    """As it arrives on another machine."""
    found: _T = pickle.loads(pickle.dumps(value))  # noqa: S301 (our own)
    return found
