"""A server under load, while nothing else happens and while it indexes. Run by hand:

    python tests/bench/load.py SET [--clients 10] [--each 20]
    python tests/bench/load.py SET --rate 50 [--seconds 300]

Makes a library of the set and serves it as ``rag serve`` does. Clients ask through the page's own
endpoint, each one question after the other, alone, all at once, and while the server reads and
encodes other files. With ``--rate`` the API is asked that many times a second instead, whether or
not earlier answers have come, while the server indexes; that fails if an answer was neither a
result nor 429 or 503 with ``Retry-After``, if memory grew by more than 5 % and 20 MB from the first
third of the time to the last, or if nothing was indexed meanwhile. Prints tables in Markdown.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
from quality import circumstances

from rag.evaluation.beir import read_beir
from rag.evaluation.report import open_library

FILES = 6000
"""Documents to index meanwhile, of some hundred words each: more than are done in the time."""

MET = 500
"""Passages that are encoded before requests come at a rate: texts of nearly every length, for each
of which OpenVINO keeps something."""

WARMING = 0.15
"""Share of the looks at the memory that is left out: threads begin, and caches fill."""

EVERY, TIMEOUT = 5.0, 60.0
"""Seconds from one look at the server's memory to the next, and for an answer."""

RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--each", type=int, default=20, help="questions of each client")
    parser.add_argument("--rate", type=float, help="requests a second")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--libraries", type=Path, metavar="DIR", help="where to keep libraries")
    arguments = parser.parse_args()
    labelled = read_beir(arguments.data)
    texts = [question.text for question in labelled.questions]
    with tempfile.TemporaryDirectory() as temporary:
        library = (arguments.libraries or Path(temporary)) / arguments.data.name
        with open_library(labelled, library, progress=sys.stderr.isatty()):
            pass
        files = Path(temporary) / "more"
        files.mkdir()
        documents = itertools.cycle(labelled.documents or ())
        for number, one in enumerate(itertools.islice(documents, FILES)):
            # In no library: the words of the set's documents, in another order.
            words = f"Number {number}. {one.text}".split()
            (files / f"{number}.txt").write_text(" ".join(reversed(words)), encoding="utf-8")
        with serving(library) as address:
            if arguments.rate:
                overload(address, texts, files, arguments.rate, arguments.seconds)
            else:
                load(address, texts, files, arguments.clients, arguments.each)
    print(f"\n{circumstances()}")


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
        try:
            yield address
        finally:
            server.send_signal(signal.SIGINT)


def start_job(address: str, folder: Path, encoded: int = 0) -> str:
    """Have a folder indexed until some passages are encoded; returns the job's URL."""
    url, paths = f"{address}/api/v1/jobs", {"paths": [str(folder)]}
    answer = httpx.post(url, json=paths, timeout=TIMEOUT).raise_for_status()
    job = f"{url}/{answer.json()['id']}"
    while state(job).get("phase") != "reading" or embedded(job) < encoded:
        time.sleep(0.1)
    return job


def state(job: str) -> dict[str, Any]:
    """What the server says of a job."""
    found: dict[str, Any] = httpx.get(job, timeout=TIMEOUT).json()
    return found


def embedded(job: str) -> int:
    """How many passages a job has encoded."""
    return int(state(job)["progress"]["embedded"])


def load(address: str, texts: Sequence[str], files: Path, clients: int, each: int) -> None:
    """Let clients search on the page, and print how long they wait."""
    head("clients, meanwhile")
    show("1", searches(1, address, texts, each))
    show(f"{clients}", searches(clients, address, texts, each))
    job = start_job(address, files)
    show(f"{clients}, indexing", searches(clients, address, texts, each))
    if (ended := state(job)["state"]) != "running":
        sys.exit(f"the job was {ended} before the clients had asked: nothing is measured")
    httpx.delete(job)


def searches(clients: int, address: str, texts: Sequence[str], each: int) -> list[float]:
    """Seconds of every search of all clients, from the request to the last byte of the answer."""

    def ask(client: int) -> list[float]:
        mine = texts[client :: len(texts) // each][:each]
        with httpx.Client(base_url=f"{address}/gradio_api/call", timeout=120) as http:
            return [search(http, text) for text in mine]

    with ThreadPoolExecutor(clients) as pool:
        return [one for some in pool.map(ask, range(clients)) for one in some]


def search(client: httpx.Client, text: str) -> float:
    """Seconds of one search, as the page does it: the question goes up, the result is streamed."""
    began = time.perf_counter()
    event = client.post("/search", json={"data": [text, "", "", "", "", "", []]}).raise_for_status()
    answer = client.get(f"/search/{event.json()['event_id']}").raise_for_status().text
    taken = time.perf_counter() - began
    if "event: complete" not in answer or "class=" not in answer:
        raise ValueError(f"no result came: {answer[:200]}")
    return taken


def overload(address: str, texts: Sequence[str], files: Path, rate: float, seconds: float) -> None:
    """Ask the API at a rate while it indexes, print what came, and fail where it is not honest."""
    job = start_job(address, files, MET)
    before, began = embedded(job), time.perf_counter()
    taken, memory = asyncio.run(asked(address, texts, rate, seconds))
    took = time.perf_counter() - began
    meanwhile = embedded(job) - before
    httpx.delete(job)
    head("answer")
    for kind in sorted({kind for kind, _ in taken}):
        show(kind, [seconds for one, seconds in taken if one == kind])
    memory = memory[int(len(memory) * WARMING) :]
    third = len(memory) // 3
    early, late = median(memory[:third]), median(memory[-third:])
    print(f"\nMemory: {early:.0f} MB, {late:.0f} MB later; {meanwhile} passages encoded meanwhile.")
    kinds = Counter(kind for kind, _ in taken)
    honest = sum(kinds[kind] for kind in ("200", "429 with Retry-After", "503 with Retry-After"))
    if honest < len(taken):
        sys.exit(f"{len(taken) - honest} answers were neither a result nor an honest refusal")
    if late > max(early * 1.05, early + 20):
        sys.exit("memory grew")
    if not meanwhile:
        sys.exit("nothing was indexed meanwhile")
    if took > seconds + TIMEOUT:
        sys.exit("this machine did not keep up with asking: the rate was lower")


async def asked(
    address: str, texts: Sequence[str], rate: float, seconds: float
) -> tuple[list[tuple[str, float]], list[float]]:
    """What came of each request and after how many seconds, and the server's memory, in MB."""
    found: list[tuple[str, float]] = []
    memory: list[float] = []

    async def ask(client: httpx.AsyncClient, text: str) -> None:
        began = time.perf_counter()
        try:
            answer = await client.get("/api/v1/search", params={"q": text})
        except httpx.HTTPError as error:
            kind = type(error).__name__
        else:
            retry = " with Retry-After" if "retry-after" in answer.headers else ""
            kind = f"{answer.status_code}{retry}"
        found.append((kind, time.perf_counter() - began))

    async def look(client: httpx.AsyncClient) -> None:
        while True:
            answer = await client.get("/metrics")
            memory.append(float(RESIDENT.findall(answer.raise_for_status().text)[0]) / 1e6)
            await asyncio.sleep(EVERY)

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=TIMEOUT, limits=limits) as client:
        looking = asyncio.create_task(look(client))
        async with asyncio.TaskGroup() as group:
            began = time.perf_counter()
            for number, text in zip(range(round(rate * seconds)), itertools.cycle(texts)):
                group.create_task(ask(client, text))
                await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.perf_counter()))
        looking.cancel()
    return found, memory


def head(what: str) -> None:
    """The head of a table, in milliseconds."""
    print(f"| {what} | number | median | 95 % | 99 % | most |\n|---|---:|---:|---:|---:|---:|")


def show(what: str, taken: Sequence[float]) -> None:
    """A row of the table."""
    times = (f"{1000 * np.quantile(taken, share):.0f}" for share in (0.5, 0.95, 0.99, 1.0))
    print(f"| {what} | {len(taken)} | {' | '.join(times)} |", flush=True)


if __name__ == "__main__":
    main()
