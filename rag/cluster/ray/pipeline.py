"""The stages on a Ray cluster. The only module that knows Ray.

Every stage reserves an eighth of the smallest machine, and the model two, whatever it takes: then
all of them find room beside Ray's own actors, and on the machines that are left when some are lost.
(With the same reservation and as many actors as tasks, Ray Data would have the actors read, too.)
How much runs at once is said by the number of tasks and actors: reading has a task for every other
core, and the model an actor for each machine, which uses all of its cores at a lower priority, as
on one machine; or one for each GPU.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import ray
from ray.data import ActorPoolStrategy, DataContext, Dataset, TaskPoolStrategy

from rag.cluster.ray import stages
from rag.cluster.ray.fleet import Fleet
from rag.cluster.ray.messages import Digested, Job, Listed, Looked, Written
from rag.errors import InputError, LibraryError, RagError

_T = TypeVar("_T", Listed, Looked)
_Part = TypeVar("_Part")
_Result = TypeVar("_Result")
_Row = dict[str, Any]

ROW = "value"
"""The one column of every block."""

RESERVED = 1 / 8
"""Of the smallest machine, by each task and actor."""

FILES_TOGETHER = 128
BYTES_TOGETHER = 64 << 20
"""What one task reads, at most, or one file that is larger: enough that starting the process in
which parsers run is no matter, little enough that a lost machine costs seconds."""

PASSING = ("did not start", "can't be read or written", "others write")
"""What passes, where many machines and a storage that all of them use are busy: errors with these
words end a run only if they come again and again."""

RETRIES = 4

JOINED = 8
"""Results of parts that one task makes one of."""

TASKS_A_READER = 4
"""… but at least so many tasks for each of those that run at once, where there are few files."""


class Machines:
    """A cluster that is connected."""

    def __init__(self, fleet: Fleet) -> None:
        there = [one["Resources"] for one in ray.nodes() if one["Alive"]]
        cpus = [one["CPU"] for one in there if one.get("CPU")]
        if not cpus:
            raise InputError("the Ray cluster has no machine with a CPU; add one: ray start")
        gpus = sum(one.get("GPU", 0.0) for one in there)
        if fleet.gpus > gpus:
            raise InputError(
                f"the Ray cluster has {gpus:g} GPUs, and each copy of the model is to have"
                f" {fleet.gpus:g}; leave --gpus out, or add machines that have some"
            )
        self._gpus = fleet.gpus
        by_default = int(gpus // fleet.gpus) if fleet.gpus else len(cpus)
        self._actors = fleet.actors or by_default
        self._readers = max(1, int(sum(cpus)) // 2)
        self._share = min(cpus) * RESERVED

    def digests(self, files: Sequence[Listed]) -> Iterator[Digested]:
        """Look at what is in files, in no particular order."""
        if files:
            looked = self._files(files).flat_map(
                partial(_each, stages.digested),
                compute=TaskPoolStrategy(self._readers),
                num_cpus=self._share,
            )
            yield from _results(looked)

    def index(self, files: Sequence[Looked], job: Job) -> Generator[Written]:
        """Read, embed and write; what was written comes in no particular order."""
        read = self._files(files).flat_map(
            partial(_each, partial(stages.reading, job=job)),
            compute=TaskPoolStrategy(self._readers),
            num_cpus=self._share,
        )
        embedded = read.map(
            _Embedding,
            fn_constructor_args=(job,),
            compute=ActorPoolStrategy(size=self._actors),
            num_cpus=2 * self._share,
            num_gpus=self._gpus,
        )
        written = embedded.map(
            _Writing,
            fn_constructor_args=(job,),
            compute=ActorPoolStrategy(size=1),
            num_cpus=self._share,
        )
        yield from _results(written)

    def gathered(
        self,
        work: Callable[[_Part], _Result],
        parts: Sequence[_Part],
        join: Callable[[Sequence[_Result]], _Result],
    ) -> _Result:
        """As :class:`rag.cluster.lance.workers.Workers` says. Nothing comes here but what is left
        at the end.
        """
        task = ray.remote(
            num_cpus=2 * self._share, max_retries=RETRIES, retry_exceptions=[LibraryError]
        )
        begun, joined = task(_done), task(_joined)
        found = [begun.remote(work, part) for part in parts]
        while len(found) > 1:
            found = [
                joined.remote(join, *found[start : start + JOINED])
                for start in range(0, len(found), JOINED)
            ]
        with _told():
            result: _Result = ray.get(found[0])
            return result

    def _files(self, files: Sequence[_T]) -> Dataset:
        most = max(1, min(FILES_TOGETHER, len(files) // (TASKS_A_READER * self._readers)))
        tasks = list(_tasks(files, most))
        return ray.data.from_items([{ROW: one} for one in tasks], override_num_blocks=len(tasks))


@contextmanager
def machines(fleet: Fleet) -> Iterator[Machines]:
    """Connect to a cluster, for the time of a block; one that this process is connected to stays.

    Raises
    ------
    InputError
        If there is none.
    """
    mine = not ray.is_initialized()
    if mine:
        _connect(fleet.address)
    try:
        with _quiet():
            yield Machines(fleet)
    finally:
        if mine:
            ray.shutdown()


def _connect(address: str) -> None:
    # Ray tells its makers how it is used, unless it is told not to.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    local = {"include_dashboard": False} if address == "local" else {}
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **local)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise InputError(
            f"no Ray cluster answers at {address} ({str(error).strip().splitlines()[0][:200]});"
            " start one with “ray start --head”, or use this machine alone: --ray local"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray Data says nothing for the time of a block, and hands each parcel on at once."""
    context = DataContext.get_current()
    mine = {
        "enable_progress_bars": False,
        "target_max_block_size": 1,
        "raise_original_map_exception": True,
        "retried_map_errors": list(PASSING),
        "max_map_retries": RETRIES,
    }
    before = {name: getattr(context, name) for name in mine}
    log = logging.getLogger("ray.data")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        for name, value in mine.items():
            setattr(context, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)
        log.setLevel(level)


def _tasks(files: Sequence[_T], most: int) -> Iterator[list[_T]]:
    """Files in groups of at most so many, and of so many bytes."""
    group: list[_T] = []
    size = 0
    for one in files:
        its = (one.file if isinstance(one, Looked) else one).size
        if group and (len(group) >= most or size + its > BYTES_TOGETHER):
            yield group
            group, size = [], 0
        group.append(one)
        size += its
    if group:
        yield group


def _results(dataset: Dataset) -> Iterator[Any]:
    """What comes out at the end."""
    with _told():
        for row in dataset.iter_rows():
            yield row[ROW]


@contextmanager
def _told() -> Iterator[None]:
    """An error of ours comes as it was raised, wherever that was."""
    try:
        yield
    except ray.exceptions.RayError as error:
        ours = _cause(error)
        if ours is None:
            raise
        # Ray adds to an error's words what its own settings could do about it.
        ours.args = (str(ours).partition("\nFailed to ")[0],)
        raise ours from error


def _cause(error: BaseException | None) -> RagError | None:
    while error is not None and not isinstance(error, RagError):
        error = getattr(error, "cause", None) or error.__cause__
    return error


def _done(work: Callable[[_Part], _Result], part: _Part) -> _Result:
    return work(part)


def _joined(join: Callable[[Sequence[_Result]], _Result], *results: _Result) -> _Result:
    return join(results)


def _each(work: Callable[[Any], Any], row: _Row) -> Iterator[_Row]:
    for one in work(row[ROW]):
        yield {ROW: one}


class _Embedding:
    def __init__(self, job: Job) -> None:
        self._work = stages.Embedding(job)

    def __call__(self, row: _Row) -> _Row:
        return {ROW: self._work(row[ROW])}


class _Writing:
    def __init__(self, job: Job) -> None:
        self._work = stages.Writing(job)

    def __call__(self, row: _Row) -> _Row:
        return {ROW: self._work(row[ROW])}
