"""Index jobs, run one at a time in a thread of the server, so that no browser tab has to stay open.

A :class:`Job` is an immutable snapshot of a job's state.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from types import MappingProxyType
from typing import Any, Literal, Self, TypeAlias

from pydantic import computed_field, with_config

from rag import (
    Failure,
    IndexReport,
    Library,
    Progress,
    RagError,
    SourceNotFound,
    SourcePath,
    max_document_of,
)
from ui.ops import public_errors

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]

Phase: TypeAlias = Literal["looking", "reading", "finishing"]
"""``looking`` for files to read; ``reading`` and embedding them; ``finishing``: updating the
indexes and calibrating scores.
"""

_PHASES: Mapping[str, Phase] = MappingProxyType(
    {
        "discovering": "looking",
        "choosing": "looking",
        "loading": "looking",
        "hashing": "looking",
        "reading": "reading",
        "re-encoding": "reading",
        "publishing": "finishing",
        "calibrating": "finishing",
    }
)

SECONDS_TO_STOP = 1.0
"""Grace period in which a cancelled job still counts as running."""

KEPT = 50
"""Finished jobs that are remembered."""

FAILURES_KEPT = 1000
"""Failures that are kept per job."""

_log = logging.getLogger(__name__)


class _Cancelled(BaseException):
    """Ends a run the way Ctrl-C does; a BaseException, so that no error handler swallows it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The counts of a finished job, in files and documents. A whole report names every file, too
    much to keep for each job.
    """

    added: int
    updated: int
    unchanged: int
    removed: int
    failed: int
    skipped: int
    failures: tuple[Failure, ...]
    """The first thousand files that could not be read, each with its reason."""
    skipped_kinds: Mapping[str, int]
    """Number of skipped files by reason."""
    embedded: int
    """Passages that were embedded."""
    reused: int
    """Passages whose embeddings were reused."""
    seconds: float
    model_note: str = ""
    """Which model was chosen for a new library and why, if that isn't the default one."""

    @classmethod
    def of(cls, report: IndexReport) -> Self:
        """Summarize the report of a run."""
        files = ("added", "updated", "unchanged", "removed", "failed", "skipped")
        return cls(
            **{name: len(getattr(report, name)) for name in files},
            failures=report.failed[:FAILURES_KEPT],
            skipped_kinds=dict(islice(report.skipped_kinds.items(), FAILURES_KEPT)),
            embedded=report.embedded,
            reused=report.reused,
            seconds=report.seconds,
            model_note=report.model_note,
        )


@with_config(use_attribute_docstrings=True)
@dataclass(frozen=True, slots=True)
class Job:
    """A snapshot of an index job: what pages and programs see of it, where paths are names.

    Times are in UTC.
    """

    id: str
    names: tuple[SourcePath, ...]
    """The files and folders to index."""
    asked: dt.datetime
    state: State = "queued"
    began: dt.datetime | None = None
    ended: dt.datetime | None = None
    progress: Progress | None = None
    """The last step reported."""
    report: Outcome | None = None
    """The outcome, once the job is done."""
    trouble: str = ""
    """Why it failed, in words without a path."""
    cancelling: bool = False
    """Whether cancellation was requested; it takes a moment."""

    @property
    def is_over(self) -> bool:
        """Whether the job is in a final state."""
        return self.ended is not None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def phase(self) -> Phase | None:
        """The current phase of a running job; None otherwise."""
        if self.state != "running":
            return None
        return _PHASES[self.progress.stage] if self.progress else "looking"


class Jobs:
    """The index jobs of one library: queued, running and finished. Thread-safe.

    Only :meth:`close` blocks until jobs end.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._changing = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._over: Counter[State] = Counter()
        self._waiting: SimpleQueue[tuple[str, Callable[..., IndexReport]] | None] = SimpleQueue()
        self._worker: threading.Thread | None = None
        self._running: str | None = None
        self._closed = False

    def start(
        self,
        paths: Sequence[str | Path],
        *,
        max_document: int | str | None = None,
        **options: Any,  # noqa: ANN401 (they are passed on)
    ) -> Job:
        """Queue files and folders for indexing, with options of :meth:`rag.Library.index`.

        Raises
        ------
        SourceNotFound
            If one of the paths does not exist.
        InputError
            If ``max_document`` is not a size.
        RuntimeError
            If the jobs were closed.
        """
        listed = tuple(os.path.expanduser(path) for path in paths)  # noqa: PTH111 (as given)
        if not all(map(os.path.exists, listed)):
            raise SourceNotFound(public_errors.NO_SUCH_FILE)
        max_document_of(max_document)
        job = Job(id=uuid.uuid4().hex, names=listed, asked=_now())
        run = partial(self._library.index, listed, max_document=max_document, **options)
        with self._changing:
            if self._closed:
                raise RuntimeError("the server is stopping, and takes no more index jobs")
            self._jobs[job.id] = job
            self._forget()
            if self._worker is None:
                # A daemon thread: a second Ctrl-C should not have to wait, and committed work is
                # safe.
                self._worker = threading.Thread(target=self._work, name="index jobs", daemon=True)
                self._worker.start()
        self._waiting.put((job.id, run))
        return job

    def all(self) -> tuple[Job, ...]:
        """All jobs that are remembered, newest first."""
        with self._changing:
            return tuple(reversed(self._jobs.values()))

    def get(self, job_id: str) -> Job | None:
        """Look up a job; None if it is unknown or was forgotten."""
        with self._changing:
            return self._jobs.get(job_id)

    @property
    def is_idle(self) -> bool:
        """Whether no job is queued or running, nor a cancelled one still ending."""
        return self._running is None and all(job.is_over for job in self.all())

    def over(self) -> Mapping[State, int]:
        """The number of finished jobs by state, including forgotten ones."""
        with self._changing:
            return dict(self._over)

    def cancel(self, job_id: str) -> Job | None:
        """Cancel a job: at once if it is queued, within a moment if it is running.

        What it committed stays, and can be found once the indexes are updated. If that takes long,
        it continues in the background and the next job waits for it. A finished job is left as it
        is.
        """
        with self._changing:
            job = self._jobs.get(job_id)
            if job is None or job.is_over:
                return job
            if job.state == "queued":
                job = replace(job, state="cancelled", cancelling=True, ended=_now())
            else:
                job = replace(job, cancelling=True)
            return self._put(job)

    def stop(self) -> None:
        """Cancel all jobs and accept no more."""
        with self._changing:
            self._closed = True
        for job in self.all():
            self.cancel(job.id)

    def close(self) -> None:
        """Cancel all jobs, accept no more, and wait until the last one has ended."""
        self.stop()
        self._waiting.put(None)
        if self._worker is not None:
            self._worker.join()

    def _work(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            self._run(*waiting)

    def _run(self, job_id: str, run: Callable[..., IndexReport]) -> None:
        with self._changing:
            job = self._jobs.get(job_id)
            if job is None or job.is_over:  # cancelled while queued
                return
            self._running = job_id
            self._put(replace(job, state="running", began=_now()))

        stopped: float | None = None

        def on_progress(step: Progress) -> None:
            nonlocal stopped
            now = self._change(job_id, lambda job: replace(job, progress=step))
            if now.cancelling and (self._closed or stopped is None):
                stopped = stopped or time.monotonic()
                raise _Cancelled
            # Updating the indexes with what was committed may take long; the caller doesn't wait
            # for it.
            if stopped and time.monotonic() - stopped > SECONDS_TO_STOP:
                self._change(job_id, lambda job: replace(job, state="cancelled", ended=_now()))

        end: dict[str, Any] = {"state": "failed"}
        try:
            end = {"state": "done", "report": Outcome.of(run(progress=on_progress))}
        except _Cancelled:
            end["state"] = "cancelled"
        except Exception as error:  # noqa: BLE001 (the log gets it all, the job a line)
            expected = isinstance(error, RagError)
            _log.error("An index job failed: %s", error, exc_info=not expected)
            end["trouble"] = public_errors.public_message(error)
        self._change(job_id, lambda job: replace(job, **end, ended=_now()))
        self._running = None

    def _change(self, job_id: str, change: Callable[[Job], Job]) -> Job:
        """Update a job's snapshot unless it is over."""
        with self._changing:
            job = self._jobs[job_id]
            return job if job.is_over else self._put(change(job))

    def _put(self, job: Job) -> Job:
        """Store a job's snapshot and update the state counts. The caller holds the lock."""
        before = self._jobs[job.id].state
        self._jobs[job.id] = job
        if job.state != before:
            fields: dict[str, object] = {"job": job.id, "state": job.state}
            if job.is_over:
                self._over[job.state] += 1
            if report := job.report:
                for name in ("added", "updated", "removed", "failed"):
                    fields[name] = getattr(report, name)
                fields["passages"] = report.embedded + report.reused
                fields["seconds"] = round(report.seconds, 2)
            _log.info("index job", extra=fields)
        return job

    def _forget(self) -> None:
        """Forget the oldest finished jobs, so that memory stays bounded."""
        over = [job.id for job in self._jobs.values() if job.is_over and job.id != self._running]
        for job_id in over[:-KEPT]:
            del self._jobs[job_id]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
