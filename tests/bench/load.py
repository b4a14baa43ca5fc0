"""Ten people asking at once: how long the page's search takes, while nothing else happens and
while the server indexes. Run by hand:

    python tests/bench/load.py ../shared/data/squad_dev [--clients N] [--each N]

Makes a library of the set, serves it as ``rag serve`` does, and has the clients ask through the
page's own endpoint, each one question after the other. Then again, while the server reads and
encodes files that nobody has asked for. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from quality import circumstances

from rag.evaluation.beir import read_beir
from rag.evaluation.report import open_library

FILES = 400
"""Documents of the job, of some hundred words each: more than are done while the clients ask."""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--each", type=int, default=20, help="questions of each client")
    parser.add_argument("--libraries", type=Path, metavar="DIR", help="where to keep libraries")
    arguments = parser.parse_args()
    with serving_set(arguments.data, arguments.libraries) as (address, texts, files):
        print("| clients | meanwhile | searches | median | 95 % | most |")
        print("|---:|---|---:|---:|---:|---:|")
        for clients in (1, arguments.clients):
            show(clients, "", asked_by(clients, address, texts, arguments.each))
        job = start_job(address, files)
        taken = asked_by(arguments.clients, address, texts, arguments.each)
        state = httpx.get(job).json()["state"]
        if state != "running":
            sys.exit(f"the job was {state} before the clients had asked: nothing is measured")
        show(arguments.clients, "indexing", taken)
        httpx.delete(job)
    print(f"\n{circumstances()}")


@contextmanager
def serving_set(
    data: Path, libraries: Path | None, more: int = FILES
) -> Iterator[tuple[str, list[str], Path]]:
    """A server over a library of the set: its address, the set's questions, and a folder of so many
    files that are in no library, to be indexed meanwhile. The library is kept in ``libraries``.
    """
    labelled = read_beir(data)
    with tempfile.TemporaryDirectory() as temporary:
        library = (libraries or Path(temporary)) / data.name
        with open_library(labelled, library, progress=sys.stderr.isatty()):
            pass
        files = Path(temporary) / "more"
        write_more([one.text for one in labelled.documents or ()], files, more)
        with serving(library) as address:
            yield address, [question.text for question in labelled.questions], files


@contextmanager
def serving(library: Path) -> Iterator[str]:
    """The address of ``rag serve``, once its model is loaded."""
    command = [sys.executable, "-m", "rag", "serve", "--library", str(library), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = next(json.loads(line)["address"] for line in server.stderr if "Ready" in line)
        # A pipe that nobody reads would stop the server, which logs every request.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        while httpx.get(f"{address}/health").json()["model"] != "ready":
            time.sleep(0.1)
        yield address
        server.send_signal(signal.SIGINT)


def write_more(texts: Sequence[str], folder: Path, count: int) -> None:
    """Files that are in no library: the words of the set's documents, in another order."""
    folder.mkdir()
    for number, text in enumerate(itertools.islice(itertools.cycle(texts), count)):
        words = f"Number {number}. {text}".split()
        (folder / f"{number}.txt").write_text(" ".join(reversed(words)), encoding="utf-8")


def start_job(address: str, folder: Path) -> str:
    """Have a folder indexed; where to ask how far that is, as soon as it has begun to encode."""
    answer = httpx.post(f"{address}/api/v1/jobs", json={"paths": [str(folder)]})
    job = f"{address}/api/v1/jobs/{answer.raise_for_status().json()['id']}"
    while httpx.get(job).json().get("phase") != "reading":
        time.sleep(0.05)
    return job


def asked_by(clients: int, address: str, texts: Sequence[str], each: int) -> list[float]:
    """Seconds of every search, from the request to the last byte of the answer."""
    taken: list[float] = []
    failures: list[Exception] = []

    def ask(mine: Sequence[str]) -> None:
        try:
            with httpx.Client(base_url=f"{address}/gradio_api/call/search", timeout=120) as client:
                taken.extend(searched(client, text) for text in mine)
        except (httpx.HTTPError, ValueError) as error:
            failures.append(error)

    threads = [
        threading.Thread(target=ask, args=(texts[one :: len(texts) // each][:each],))
        for one in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return taken


def searched(client: httpx.Client, text: str) -> float:
    """Seconds of one search, as the page does it: the question goes up, the result is streamed."""
    began = time.perf_counter()
    event = client.post("", json={"data": [text, "", "", "", "", "", []]}).raise_for_status().json()
    answer = client.get(f"/{event['event_id']}").raise_for_status().text
    taken = time.perf_counter() - began
    if "event: complete" not in answer or "class=" not in answer:
        raise ValueError(f"no result came: {answer[:200]}")
    return taken


def show(clients: int, meanwhile: str, taken: Sequence[float]) -> None:
    """A row of the table, in milliseconds."""
    median, late, most = (f"{1000 * np.quantile(taken, share):.0f}" for share in (0.5, 0.95, 1.0))
    print(f"| {clients} | {meanwhile} | {len(taken)} | {median} | {late} | {most} |", flush=True)


if __name__ == "__main__":
    main()
