"""The stages on a Ray cluster. The only module that imports Ray.

Every task and actor reserves an eighth of the smallest machine, and a model actor two, whatever it
uses: so all of them fit beside Ray's own actors, and on the remaining machines when some are lost.
(With equal reservations and as many actors as tasks, Ray Data would have the actors read, too.)
Parallelism is controlled by the number of tasks and actors: one reading task per two cores, and one
model actor per machine, which uses all of its cores at low priority, as on a single machine; or one
per GPU.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import ray
from ray.data import ActorPoolStrategy, DataContext, Dataset, TaskPoolStrategy

from rag.cluster.ray import Fleet, stages
from rag.cluster.ray.stages import FileDigest, Job, WriteResult
from rag.errors import InputError, LibraryError, RagError
from rag.ingest.run_state import FileToRead, ListedFile

_T = TypeVar("_T", ListedFile, FileToRead)
_Part = TypeVar("_Part")
_Result = TypeVar("_Result")
_Row = dict[str, Any]

ROW = "value"
"""The only column of every block."""

RESERVED = 1 / 8
"""Reservation of each task and actor, as a share of the smallest machine."""

FILES_TOGETHER = 128
BYTES_TOGETHER = 64 << 20
"""Maximum bytes per reading task, unless one file is larger: large enough to amortise starting the
parser process, small enough that a lost machine costs seconds."""

PASSING = ("did not start", "can't be read or written", "others write")
"""Messages of transient errors on busy machines or storage: errors with these words end a run only
if they persist."""

RETRIES = 4

JOINED = 8
"""Number of part results that one task joins."""

TASKS_A_READER = 4
"""Minimum number of tasks per concurrent reader, which lowers the task size if there are few
files."""


class Machines:
    """A connected cluster."""

    def __init__(self, fleet: Fleet) -> None:
        there = [one["Resources"] for one in ray.nodes() if one["Alive"]]
        cpus = [one["CPU"] for one in there if one.get("CPU")]
        if not cpus:
            raise InputError("the Ray cluster has no machine with a CPU; add one: ray start")
        gpus = sum(one.get("GPU", 0.0) for one in there)
        if fleet.gpus > gpus:
            raise InputError(
                f"the Ray cluster has {gpus:g} GPUs, but each copy of the model needs"
                f" {fleet.gpus:g}; leave --gpus out, or add machines with GPUs"
            )
        self._gpus = fleet.gpus
        by_default = int(gpus // fleet.gpus) if fleet.gpus else len(cpus)
        self._actors = fleet.actors or by_default
        self._readers = max(1, int(sum(cpus)) // 2)
        self._share = min(cpus) * RESERVED

    def digests(self, files: Sequence[ListedFile]) -> Iterator[FileDigest]:
        """Compute the digests of files, in no particular order."""
        if files:
            looked = self._files(files).flat_map(
                partial(_each, stages.compute_digests),
                compute=TaskPoolStrategy(self._readers),
                num_cpus=self._share,
            )
            yield from _results(looked)

    def index(self, files: Sequence[FileToRead], job: Job) -> Generator[WriteResult]:
        """Read, embed and write files; yields results in no particular order."""
        read = self._files(files).flat_map(
            partial(_each, partial(stages.read_files, job=job)),
            compute=TaskPoolStrategy(self._readers),
            num_cpus=self._share,
        )
        embedded = read.map(
            _Actor,
            fn_constructor_args=(stages.Embedding, job),
            compute=ActorPoolStrategy(size=self._actors),
            num_cpus=2 * self._share,
            num_gpus=self._gpus,
        )
        written = embedded.map(
            _Actor,
            fn_constructor_args=(stages.Writing, job),
            compute=ActorPoolStrategy(size=1),
            num_cpus=self._share,
        )
        yield from _results(written)

    def map_reduce(
        self,
        work: Callable[[_Part], _Result],
        parts: Sequence[_Part],
        join: Callable[[Iterable[_Result]], _Result],
    ) -> _Result:
        """Implements :class:`rag.cluster.lance.indexes.Workers`. Only the final result comes to
        this process.
        """
        task = ray.remote(
            num_cpus=2 * self._share, max_retries=RETRIES, retry_exceptions=[LibraryError]
        )
        begun, joined = task(_call), task(_join)
        found = [begun.remote(work, part) for part in parts]
        while len(found) > 1:
            found = [
                joined.remote(join, *found[start : start + JOINED])
                for start in range(0, len(found), JOINED)
            ]
        with _reraise_remote_errors():
            result: _Result = ray.get(found[0])
            return result

    def _files(self, files: Sequence[_T]) -> Dataset:
        most = max(1, min(FILES_TOGETHER, len(files) // (TASKS_A_READER * self._readers)))
        tasks = list(_tasks(files, most))
        return ray.data.from_items([{ROW: one} for one in tasks], override_num_blocks=len(tasks))


@contextmanager
def machines(fleet: Fleet) -> Iterator[Machines]:
    """Connect to a cluster for the duration of a block; an existing connection of this process
    stays.

    Raises
    ------
    InputError
        If there is none.
    """
    mine = not ray.is_initialized()
    if mine:
        _connect(fleet.address)
    try:
        with _silence_ray():
            yield Machines(fleet)
    finally:
        if mine:
            ray.shutdown()


def _connect(address: str) -> None:
    # Ray reports usage to its makers unless told not to.
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
def _silence_ray() -> Iterator[None]:
    """Silence Ray Data for the duration of a block, and make it pass on each batch at once."""
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
    """Group files by at most ``most`` files and a maximum of bytes."""
    group: list[_T] = []
    size = 0
    for one in files:
        its = (one.file if isinstance(one, FileToRead) else one).size
        if group and (len(group) >= most or size + its > BYTES_TOGETHER):
            yield group
            group, size = [], 0
        group.append(one)
        size += its
    if group:
        yield group


def _results(dataset: Dataset) -> Iterator[Any]:
    """Yield the results of the last stage."""
    with _reraise_remote_errors():
        for row in dataset.iter_rows():
            yield row[ROW]


@contextmanager
def _reraise_remote_errors() -> Iterator[None]:
    """Raise our own errors as they were raised on the remote machine."""
    try:
        yield
    except ray.exceptions.RayError as error:
        ours = _cause(error)
        if ours is None:
            raise
        # Ray appends advice about its own settings to error messages.
        ours.args = (str(ours).partition("\nFailed to ")[0],)
        raise ours from error


def _cause(error: BaseException | None) -> RagError | None:
    while error is not None and not isinstance(error, RagError):
        error = getattr(error, "cause", None) or error.__cause__
    return error


def _call(work: Callable[[_Part], _Result], part: _Part) -> _Result:
    return work(part)


def _join(join: Callable[[Iterable[_Result]], _Result], *results: _Result) -> _Result:
    return join(results)


def _each(work: Callable[[Any], Any], row: _Row) -> Iterator[_Row]:
    for one in work(row[ROW]):
        yield {ROW: one}


class _Actor:
    def __init__(self, stage: Callable[[Job], Callable[[Any], Any]], job: Job) -> None:
        self._work = stage(job)

    def __call__(self, row: _Row) -> _Row:
        return {ROW: self._work(row[ROW])}
