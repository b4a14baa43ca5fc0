"""A job is cancelled within two seconds, whatever it is at, and progress moves until then."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import Library, Progress
from rag.confidence.answerability import Calibrations
from rag.documents.sandbox import processes
from rag.index.lexical import TantivyIndex
from rag.types import Passage, PassageEncoding
from ui.jobs import Jobs

SECONDS = 2.0
SLACK = 3.0
"""What a busy machine may take longer."""

LONG = 60.0
HANGING = """
import time
import rag.documents.sandbox.worker

rag.documents.sandbox.worker.load = lambda *_, **__: time.sleep(1000)
rag.documents.sandbox.worker.main()
"""


class Stuck(HashingEmbedder):
    """A model that is never through with a batch."""

    def __init__(self, reached: threading.Event, go: threading.Event) -> None:
        self._reached, self._go = reached, go

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """After a long time."""
        self._reached.set()
        self._go.wait(LONG)
        yield from super().passages(passages)


@pytest.fixture
def reached() -> threading.Event:
    """Set when the stage is reached."""
    return threading.Event()


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """Set at the end, so that nothing is left behind."""
    event = threading.Event()
    yield event
    event.set()


def waiting(reached: threading.Event, go: threading.Event) -> Callable[..., None]:
    """A function that takes a long time."""

    def wait(*_: object) -> None:
        reached.set()
        go.wait(LONG)

    return wait


@pytest.mark.usefixtures("sandboxed")
@pytest.mark.parametrize(
    "stage", ["hashing", "reading", "encoding", "publishing", "calibrating", "waiting to write"]
)
def test_cancelled_in_time(
    stage: str,
    tmp_path: Path,
    reached: threading.Event,
    go: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Meanwhile what it says of itself changes at least every two seconds."""
    source = tmp_path / "notes.txt"
    source.write_text("The ferry leaves at dawn.")
    embedder = Stuck(reached, go) if stage == "encoding" else HashingEmbedder()
    library = Library.open(tmp_path / "library", embedder=embedder)
    if stage == "hashing":
        with source.open("wb") as file:
            file.truncate(300 << 30)
    elif stage == "reading":
        monkeypatch.setattr(processes, "COMMAND", (sys.executable, "-c", HANGING))
    elif stage == "publishing":
        monkeypatch.setattr(TantivyIndex, "update", waiting(reached, go))
    elif stage == "calibrating":
        monkeypatch.setattr(Calibrations, "refresh", waiting(reached, go))
    jobs = Jobs(library)
    with library, held(library, go, wanted=stage == "waiting to write"):
        job = jobs.start([source])
        steps = watched(jobs, job.id, until=stage)
        began = time.monotonic()
        jobs.cancel(job.id)
        while not (found := jobs.get(job.id)) or not found.is_over:
            assert time.monotonic() - began < SECONDS + SLACK
            time.sleep(0.01)
        assert found.state == "cancelled"
        assert len({step.seconds for step in steps}) > 2
        go.set()
        jobs.close()


def watched(jobs: Jobs, job_id: str, until: str) -> list[Progress]:
    """The steps of a job for two seconds after it got to a stage."""
    stage = {"encoding": "reading", "waiting to write": "discovering"}.get(until, until)
    steps: list[Progress] = []
    arrived = None
    while arrived is None or time.monotonic() - arrived < SECONDS:
        job = jobs.get(job_id)
        assert job is not None
        assert not job.is_over, job
        if job.progress and job.progress.stage == stage:
            arrived = arrived or time.monotonic()
            steps.append(job.progress)
        time.sleep(0.05)
    return steps


@contextmanager
def held(library: Library, go: threading.Event, *, wanted: bool) -> Iterator[None]:
    """Somebody else writes to the library."""

    def write() -> None:
        with library.engine.writing():
            writing.set()
            go.wait(LONG)

    writing = threading.Event()
    thread = threading.Thread(target=write)
    if wanted:
        thread.start()
        writing.wait(LONG)
    yield
    if wanted:
        thread.join()
