"""What a second machine is worth: indexing on one and two of them, asking one and two replicas.

::

    PYTHONPATH=tests/support:tests/cluster python tests/bench/cluster_rates.py
        [--documents N] [--questions N] [--rounds N]

Every machine is a core of this one: its Ray processes, or its replica, are bound to it. Documents
are made up, and lie on an S3 server, as the library does; that server, the driver and whoever asks
have no core of their own. In each round everything is measured once, so that what else the machine
does meets all alike. Ratios are within a round.

The rate of indexing counts from the first parcel that was written to the last, so that starting
Ray and loading the model, which a long run does once, don't; ``whole`` has all of it. Latency is
that of single questions, one after the other; ``rate`` is of four clients at once.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import object_storage
import replicas
from made_documents import Made, made
from pyarrow.fs import S3FileSystem
from quality import circumstances
from ray.cluster_utils import Cluster

from rag import Library, Progress
from rag.runtime.threads import limit_blas_to_one_thread

CLIENTS = 4
Row = dict[str, float]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    limit_blas_to_one_thread()
    # Ray lowers its own priority; on a machine that others use, that would be measured.
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    listed = list(made(arguments.documents))
    with (
        tempfile.TemporaryDirectory() as folder,
        object_storage.served(Path(folder) / "s3") as environment,
    ):
        os.environ |= environment
        sent(listed, environment["AWS_ENDPOINT_URL"])
        rounds = [
            one_round(listed, arguments.questions, number, Path(folder))
            for number in range(arguments.rounds)
        ]
    print(json.dumps(summed_up(rounds)), f"load {os.getloadavg()}", circumstances(), sep="\n")


def one_round(listed: Sequence[Made], questions: int, number: int, folder: Path) -> dict[str, Row]:
    """Everything once."""
    found = {}
    for nodes in (1, 2):
        url = f"s3://{object_storage.BUCKET}/library-{number}-{nodes}"
        found[f"nodes {nodes}"] = told(f"nodes {nodes}", indexed(url, nodes, len(listed)))
    for count in (1, 2):
        place = folder / f"replicas-{number}-{count}"
        place.mkdir()
        row = asked(url, place, count, listed[:questions])
        found[f"replicas {count}"] = told(f"replicas {count}", row)
    return found


def told(what: str, row: Row) -> Row:
    """Print it at once: a round takes minutes."""
    print(what, json.dumps(row), f"load {os.getloadavg()[0]:.1f}", flush=True)
    return row


def indexed(url: str, nodes: int, documents: int) -> Row:
    """Index into a new library."""
    cores = sorted(os.sched_getaffinity(0))
    with bound_to(cores[0]):
        cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
    for core in cores[1:nodes]:
        with bound_to(core):
            cluster.add_node(num_cpus=1)
    steps: list[tuple[float, int]] = []

    def note(step: Progress) -> None:
        if step.embedded and (not steps or steps[-1][1] != step.embedded):
            steps.append((time.monotonic(), step.embedded))

    began = time.monotonic()
    try:
        with Library.open(url) as library:
            report = library.index(
                f"s3://{object_storage.BUCKET}/made", ray=str(cluster.address), progress=note
            )
    finally:
        cluster.shutdown()
    if report.embedded != documents:
        raise RuntimeError(f"{report.embedded} of {documents} documents were embedded")
    (first, some), (last, all_) = steps[0], steps[-1]
    whole = documents / (time.monotonic() - began)
    return {"passages a second": (all_ - some) / max(last - first, 1e-9), "whole": whole}


def asked(url: str, folder: Path, count: int, questions: Sequence[Made]) -> Row:
    """Ask so many replicas."""
    cores = sorted(os.sched_getaffinity(0))
    with replicas.served(url, folder, count) as served:
        for core, process in zip(cores, served.processes, strict=False):
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {core})
        seconds = []
        for one in questions:
            began = time.monotonic()
            right(served.address, one)
            seconds.append(time.monotonic() - began)
        began = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda one: right(served.address, one), questions))
        rate = len(questions) / (time.monotonic() - began)
    return {"median": median(seconds), "p95": quantiles(seconds, n=20)[-1], "rate": rate}


def right(address: str, one: Made) -> None:
    """Ask, and see that the answer is right."""
    if problem := replicas.wrong(address, one):
        raise RuntimeError(problem)


def summed_up(rounds: Sequence[dict[str, Row]]) -> dict[str, object]:
    """The median of each number, and of two by one, within rounds."""
    medians = {
        what: {name: median(one[what][name] for one in rounds) for name in rounds[0][what]}
        for what in rounds[0]
    }
    ratios = {
        f"{what}: {name}": [one[f"{what} 2"][name] / one[f"{what} 1"][name] for one in rounds]
        for what in ("nodes", "replicas")
        for name in rounds[0][f"{what} 1"]
    }
    return {"medians": medians, "two by one": {k: (median(v), v) for k, v in ratios.items()}}


def sent(listed: Sequence[Made], server: str) -> None:
    """Put the documents into the bucket."""
    storage = S3FileSystem(endpoint_override=server)

    def put(one: Made) -> None:
        with storage.open_output_stream(f"{object_storage.BUCKET}/made/{one.name}") as file:
            file.write(one.text.encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, listed))


@contextmanager
def bound_to(core: int) -> Iterator[None]:
    """What is started within this runs on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
