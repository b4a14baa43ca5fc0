"""Ray runs the stages: on this machine, and on a cluster that loses a machine half-way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import object_storage
import pytest
from commands import rag_process as rag
from made_documents import Made, made
from pyarrow.fs import S3FileSystem
from three_articles import library_without_reading

from rag import Library, LibraryNotFound, Progress
from rag.models.embedder import SentenceTransformerEmbedder

pytest.importorskip("ray")

from ray.cluster_utils import Cluster

# Ray warns of settings of its own, and leaves files open for the processes that it ends.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

DOCUMENTS = int(os.environ.get("RAG_CLUSTER_DOCUMENTS", "5000"))
ASKED = 50


@dataclass(frozen=True, slots=True)
class Two:
    """A Ray cluster of two machines, both of them this one: the driver runs on the head, and the
    other machine can be lost.
    """

    cluster: Cluster
    other: Any

    @property
    def address(self) -> str:
        """To connect to."""
        return str(self.cluster.address)

    def lose(self) -> None:
        """Kill all that runs on the other machine."""
        self.cluster.remove_node(self.other, allow_graceful=False)


@contextmanager
def two_machines() -> Iterator[Two]:
    """A cluster whose machines have a core each, as Ray counts them."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        yield Two(cluster, cluster.add_node(num_cpus=1))
    finally:
        cluster.shutdown()


def test_on_this_machine(articles: Path, tmp_path: Path) -> None:
    """The command, with a cluster of its own: new, unchanged, changed and gone."""
    command = ["index", articles, "--library", f"file://{tmp_path}/library", "--ray", "local"]
    (articles / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    first = rag(*command, folder=tmp_path)
    assert first.returncode == 3, first.stderr
    assert "added 3" in " ".join(first.stdout.split())
    assert "broken.pdf" in first.stdout + first.stderr
    assert "damaged" in first.stdout + first.stderr
    (articles / "broken.pdf").unlink()
    (articles / "tanks.txt").write_text("The turret is from Bruges.")
    second = rag(*command, folder=tmp_path)
    assert second.returncode == 0, second.stderr
    told = " ".join(second.stdout.split())
    assert "updated 1" in told
    assert "unchanged 2" in told
    asked = rag("ask", "Where is the turret from?", "--library", command[3], folder=tmp_path)
    assert "Bruges" in asked.stdout


def test_interrupted_and_gone_on_with(tmp_path: Path) -> None:
    """Ctrl-C, as a terminal sends it, to all processes at once: what was committed is kept and
    found, Ray's processes end, and the next run embeds the rest only.
    """
    articles, url = tmp_path / "articles", f"file://{tmp_path}/library"
    listed = list(made(3000))
    for one in listed:
        path = articles / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one.text)
    command = [sys.executable, "-m", "rag", "index", articles, "--library", url, "--ray", "local"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not _documents(url):
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=180)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    kept = _documents(url)
    assert f"Stopped. {kept:,} document" in said
    assert 0 < kept < len(listed)
    assert not _running(process.pid)
    second = rag(*command[3:], folder=tmp_path)
    assert second.returncode == 0, second.stderr
    assert f"embedded {len(listed) - kept:,}" in " ".join(second.stdout.split())
    with Library.open(url) as library:
        assert library.status().documents == len(listed)
        for one in listed[:: len(listed) // ASKED]:
            assert one.answer in library.search(one.question)[0].answer.text


def _documents(url: str) -> int:
    try:
        with Library.open(url, create=False) as library:
            return library.status().documents
    except LibraryNotFound:
        return 0


def _running(session: int) -> list[str]:
    """The commands of a session whose first process has ended."""
    listed = subprocess.run(
        ["ps", "-o", "stat=,args=", "-s", str(session)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Made]]:
    """Documents in object storage, and the environment to reach it."""
    listed = list(made(DOCUMENTS))
    with (
        object_storage.served(tmp_path_factory.mktemp("s3")) as environment,
        pytest.MonkeyPatch.context() as patched,
    ):
        for name, value in environment.items():
            patched.setenv(name, value)
        storage = S3FileSystem(endpoint_override=environment["AWS_ENDPOINT_URL"])

        def put(one: Made) -> None:
            with storage.open_output_stream(f"{object_storage.BUCKET}/made/{one.name}") as file:
                file.write(one.text.encode())

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(put, listed))
        yield listed


def test_machine_lost_half_way(
    documents: list[Made], embedder: SentenceTransformerEmbedder
) -> None:
    """All documents are there once, whatever a machine was doing when it went; nothing that was
    committed is embedded again; and a second run finds nothing to do.
    """
    sources = f"s3://{object_storage.BUCKET}/made"
    with (
        two_machines() as two,
        Library.open(f"s3://{object_storage.BUCKET}/library", embedder=embedder) as library,
    ):
        lost_at: list[Progress] = []

        def lose(step: Progress) -> None:
            if not lost_at and step.embedded >= DOCUMENTS // 2:
                two.lose()
                lost_at.append(step)

        report = library.index(sources, ray=two.address, progress=lose)
        assert lost_at[0].embedded < DOCUMENTS, "too late to tell"
        expected = sorted(f"{sources}/{one.name}" for one in documents)
        assert sorted(report.added) == expected
        assert report.failed == ()
        assert report.embedded + report.reused == DOCUMENTS
        status = library.status()
        assert (status.documents, status.passages) == (DOCUMENTS, DOCUMENTS)
        assert sorted(one.path for one in library.engine.reader.sources()) == expected
        assert sorted(library.engine.reader.files()) == expected
        with library_without_reading():
            again = library.index(sources, ray=two.address)
        assert len(again.unchanged) == DOCUMENTS
        for one in documents[:: DOCUMENTS // ASKED]:
            (hit, *_) = library.search(one.question)
            assert hit.source == f"{sources}/{one.name}"
            assert one.answer in hit.answer.text
