"""Index jobs: one after the other, with progress, cancelled without a loss, closed in the end."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder
from served import SECONDS, Pausing, over

from rag import Library, Progress, SourceNotFound
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import Passage, PassageEncoding
from ui import jobs as module
from ui.jobs import Job, Jobs

FILES = 24


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder of two dozen small files, a passage each."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:02}.txt").write_text(f"The tower of town {number} has {number} bells.")
    return folder


@pytest.fixture
def pausing() -> Pausing:
    """A stand-in for the model that stops before its first passage."""
    return Pausing(HashingEmbedder(), 0)


@pytest.fixture
def library(tmp_path: Path, pausing: Pausing) -> Iterator[Library]:
    """An empty library with it."""
    with Library.open(tmp_path / "library", embedder=pausing) as opened:
        yield opened


@pytest.fixture
def jobs(library: Library, pausing: Pausing) -> Iterator[Jobs]:
    """Its jobs."""
    made = Jobs(library)
    yield made
    pausing.go.set()
    made.close()


def states(jobs: Jobs) -> list[str]:
    """The states of all jobs, the newest first."""
    return [job.state for job in jobs.all()]


def test_cancelling_midway_loses_nothing(
    tmp_path: Path, many: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """With the real model: what was committed is found at once, and the next job does the rest."""
    pausing = Pausing(embedder, 8)
    with Library.open(tmp_path / "library", embedder=pausing) as library:
        assert library.search("bells") == []  # as a server does while the model loads
        jobs = Jobs(library)
        job = jobs.start([many])
        assert (job.state, job.phase, job.progress) == ("queued", None, None)
        assert pausing.reached.wait(SECONDS)
        running = jobs.get(job.id)
        assert running is not None
        assert (running.state, running.phase) == ("running", "reading")
        assert running.progress is not None
        assert running.progress.files == FILES
        assert running.progress.passages == FILES
        assert running.progress.embedded < FILES
        assert library.search("How many bells has the tower?") == []  # and doesn't wait

        asked = jobs.cancel(job.id)
        assert asked is not None
        assert (asked.state, asked.cancelling) == ("running", True)
        pausing.go.set()
        ended = over(jobs, job)
        assert (ended.state, ended.report, ended.trouble) == ("cancelled", None, "")
        held = library.status().documents
        assert 0 < held < FILES
        assert len(library.search("How many bells has the tower?", k=FILES)) == held

        rest = over(jobs, jobs.start([many]))
        assert rest.state == "done"
        assert rest.report is not None
        assert rest.report.added == FILES - held
        assert len(library.search("How many bells has the tower?", k=FILES)) == FILES
        jobs.close()


def test_a_job_from_start_to_end(jobs: Jobs, pausing: Pausing, many: Path) -> None:
    """Snapshots stay as they were; the last has the report."""
    pausing.go.set()
    first = jobs.start([many])
    last = over(jobs, first)
    assert first.state == "queued"
    assert (last.id, last.names, last.state) == (first.id, (str(many),), "done")
    assert last.report is not None
    assert last.report.added == FILES
    assert many.name not in repr(last.report)  # fifty lists of a million files would fill memory
    assert last.progress is not None
    assert (last.progress.files_done, last.progress.embedded) == (FILES, FILES)
    assert last.began is not None
    assert last.ended is not None
    assert last.asked <= last.began <= last.ended
    assert jobs.is_idle


def test_one_at_a_time(jobs: Jobs, pausing: Pausing, articles: Path, many: Path) -> None:
    """The others wait in order; one that waits is cancelled at once and never begins."""
    first, second, third = (jobs.start([path]) for path in (many, articles, articles))
    assert pausing.reached.wait(SECONDS)
    assert states(jobs) == ["queued", "queued", "running"]
    assert not jobs.is_idle
    cancelled = jobs.cancel(second.id)
    assert cancelled is not None
    assert (cancelled.state, cancelled.began, cancelled.is_over) == ("cancelled", None, True)
    pausing.go.set()
    ended, last = over(jobs, first), over(jobs, third)
    assert states(jobs) == ["done", "cancelled", "done"]
    assert ended.ended is not None
    assert last.began is not None
    assert ended.ended <= last.began
    assert jobs.cancel(first.id) == ended


def test_what_fails_is_said_without_a_path(jobs: Jobs, pausing: Pausing, articles: Path) -> None:
    """A folder that vanished while it waited; the next job runs all the same."""
    first = jobs.start([articles / "tanks.txt"])
    vanished = jobs.start([articles / "bread.txt"])
    last = jobs.start([articles / "deep"])
    (articles / "bread.txt").unlink()
    pausing.go.set()
    failed = over(jobs, vanished)
    assert (failed.state, failed.report) == ("failed", None)
    assert failed.trouble == (
        "there is no such file or folder on this machine, or it can't be accessed"
    )
    assert over(jobs, first).state == over(jobs, last).state == "done"


def test_what_nobody_foresaw(
    tmp_path: Path, articles: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The terminal gets the traceback, the job a line."""

    class Failing(HashingEmbedder):
        def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
            raise ZeroDivisionError(f"secret detail of {len(passages)}")

    with Library.open(tmp_path / "library", embedder=Failing()) as library:
        jobs = Jobs(library)
        failed = over(jobs, jobs.start([articles]))
        jobs.close()
    assert failed.state == "failed"
    assert failed.trouble == "something went wrong; the terminal that runs rag says more"
    assert "secret detail" in caplog.text


def test_what_is_not_there_is_refused_at_once(jobs: Jobs, tmp_path: Path) -> None:
    """No job is made for it."""
    with pytest.raises(SourceNotFound, match="no such file or folder") as refused:
        jobs.start([tmp_path, tmp_path / "nowhere"])
    assert str(tmp_path) not in str(refused.value)
    assert jobs.all() == ()
    assert jobs.get("none") is None
    assert jobs.cancel("none") is None


def test_closing_cancels_and_waits(
    jobs: Jobs, library: Library, pausing: Pausing, many: Path
) -> None:
    """Nothing runs afterwards, nothing is begun, and the library is left right."""
    running, waiting = jobs.start([many]), jobs.start([many])
    assert pausing.reached.wait(SECONDS)
    closing = threading.Thread(target=jobs.close)
    closing.start()
    while not (found := jobs.get(running.id)) or not found.cancelling:
        assert closing.is_alive()
    pausing.go.set()
    closing.join(SECONDS)
    assert not closing.is_alive()
    assert states(jobs) == ["cancelled", "cancelled"]
    assert over(jobs, waiting).began is None
    assert len(library.search("bells", k=FILES)) == library.status().documents
    assert library.status().documents < FILES
    with pytest.raises(RuntimeError, match="stopping"):
        jobs.start([many])
    jobs.close()


def test_old_jobs_are_forgotten(
    jobs: Jobs, pausing: Pausing, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only so many that are over stay."""
    monkeypatch.setattr(module, "KEPT", 2)
    pausing.go.set()
    made = [over(jobs, jobs.start([articles])) for _ in range(4)]
    newest = jobs.start([articles])
    over(jobs, newest)
    assert [job.id for job in jobs.all()] == [newest.id, made[3].id, made[2].id]


def test_phases() -> None:
    """Worked out from the last step, for a running job only."""
    job = Job(id="1", names=(), asked=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), state="running")
    assert job.phase == "looking"
    step = Progress(files_done=2, files=2, passages=8, embedded=3, reused=4, source="")
    phases = {"hashing": "looking", "reading": "reading", "calibrating": "finishing"}
    for stage, phase in phases.items():
        assert replace(job, progress=replace(step, stage=stage)).phase == phase
    assert replace(job, progress=step, state="done").phase is None
