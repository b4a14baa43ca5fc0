"""What several test modules share: the real model, and a library of the seeds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import in_process_reader
import pytest
import shared_suite
from coverage import Coverage
from engines import ENGINES
from hypothesis import settings
from three_articles import BREAD, TANKS, WHALES

import rag.ingest.run
from rag import Library
from rag.documents.sandbox import reader
from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.openvino_bert import PRECISION_VARIABLE
from rag.runtime.threads import limit_blas_to_one_thread

# In CI the same examples every time, so that a change is judged by what it changed; by hand new
# ones, which is how bugs are found. No deadlines: a busy machine is no bug.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("by hand", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "by hand")

# Threads that wait for work spin, and other tests need those cores: with two workers on two cores a
# question cost six times the CPU. So NumPy's products have one thread each, as in the command and
# as the README says, here and in programs that tests start; and OpenMP's threads sleep.
limit_blas_to_one_thread()
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "passive"

OF_THE_PAGE = {"ui", "browser"}
"""Folders whose tests ask the page and the API, of which no coverage is counted (only of rag)."""

SLOW = {"faults"}
"""Folders of which every test is slow."""

QUICK = {"formats", "pdf"}
"""Folders of many files whose tests take little: run last, they fill what the long ones leave."""

SANDBOXED = {"documents", "formats", "pdf", "faults"}
"""Folders whose tests read files in worker processes. Others do it in their own, since a worker
takes half a second to start, unless they use the fixture ``sandboxed``.
"""

SEEDS = Path(__file__).parent.parent / "seeds"


@pytest.fixture(scope="module", autouse=True)
def _read_in_process(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        folder = request.path.parent.name
        if folder not in SANDBOXED:
            patched.setattr(rag.ingest.run, "read", in_process_reader.read)
            patched.setattr("rag.library.model_choice.read", in_process_reader.read)
        if folder == "cluster":
            patched.setattr("rag.cluster.ray.stages.read", in_process_reader.read)
        yield


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[None]:
    """Files of this module are read in worker processes, as ever outside of tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rag.ingest.run, "read", reader.read)
        patched.setattr("rag.library.model_choice.read", reader.read)
        yield


@pytest.fixture(scope="session")
def embedder() -> SentenceTransformerEmbedder:
    """The packaged model, loaded once for all tests."""
    return SentenceTransformerEmbedder()


@pytest.fixture(scope="module")
def in_float32() -> Iterator[None]:
    """Models that load now compute in float32, whatever the processor has."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(PRECISION_VARIABLE, "float32")
        yield


@pytest.fixture(scope="session")
def seeds(
    tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder
) -> Iterator[Library]:
    """A library of the seed articles; not to be changed."""
    folder = tmp_path_factory.mktemp("seeds") / "library"
    with Library.open(folder, embedder=embedder) as library:
        library.index(SEEDS)
        yield library


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A folder of three articles."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "tanks.txt").write_text(TANKS)
    (folder / "bread.txt").write_text(BREAD)
    (folder / "deep").mkdir()
    (folder / "deep" / "whales.md").write_text(f"# Whales\n\n{WHALES}")
    return folder


@pytest.fixture
def library(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> Iterator[Library]:
    """An empty library."""
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        yield library


def pytest_addoption(parser: pytest.Parser) -> None:
    """On which engine the tests are run."""
    parser.addoption("--engine", choices=ENGINES, default=ENGINES[0])


def pytest_configure(config: pytest.Config) -> None:
    """Before any library is opened."""
    if config.getoption("engine") != ENGINES[0]:
        patched = pytest.MonkeyPatch()
        shared_suite.switch(patched)
        config.add_cleanup(patched.undo)


@pytest.hookimpl(tryfirst=True)  # before those that are not asked for are left out by their marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without those that the engine is not for, the quick ones last, and with little that is
    counted twice: hundreds of examples take the same lines, and the page is not what is counted;
    counting would take longer than running them.
    """
    if config.getoption("engine") != ENGINES[0]:
        shared_suite.leave_out(config, items)
    items.sort(key=lambda item: item.path.parent.name in QUICK)
    for item in items:
        if item.path.parent.name in SLOW:
            item.add_marker(pytest.mark.slow)
        examples = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if examples or item.path.parent.name in OF_THE_PAGE:
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """The mark is for the test itself, and most of its time may be what is made for it."""
    counting = Coverage.current() if item.get_closest_marker("no_cover") else None
    if counting:
        counting.stop()
    try:
        yield
    finally:
        if counting:
            counting.start()


@pytest.fixture(scope="module", autouse=True)
def _processes_of_the_page_are_not_counted(request: pytest.FixtureRequest) -> Iterator[None]:
    """The mark is for this process alone, and those that it starts read the environment."""
    with pytest.MonkeyPatch.context() as patched:
        if request.path.parent.name in OF_THE_PAGE:
            for name in [one for one in os.environ if one.startswith("COVERAGE")]:
                patched.delenv(name)
        yield


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name no test by bytes: an archive's hold the time, and two workers would then disagree on
    which tests there are.
    """
    return "bytes" if isinstance(val, bytes) else None
