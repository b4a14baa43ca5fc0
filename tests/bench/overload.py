"""Fifty requests a second while the server indexes: whether each gets an answer, or is told
honestly when to come again. Run by hand, five minutes:

    python tests/bench/overload.py ../shared/data/squad_dev [--rate 50] [--seconds 300]

Makes a library of the set, serves it as ``rag serve`` does on this machine, starts an index job,
and asks the API at a fixed rate, whether or not earlier answers have come. Prints how many answers
of each kind there were, how long they took, and what memory the server has in the first and in the
last third of the time, once it has threads and what OpenVINO keeps of each length of text; fails if
an answer was neither a result nor 429 or 503 with ``Retry-After``, if memory grew by more than 5 %
and 20 MB, or if nothing was indexed meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from load import serving_set, start_job
from quality import circumstances

HONEST = {429, 503}
FILES = 6000
"""Documents of the job: more than are done in the time."""

RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)

MET = 500
"""Passages that are encoded before the first request: texts of nearly every length."""

WARMING = 0.15
"""Share of the looks at the memory that is left out: threads begin, and caches fill."""

EVERY = 5.0
"""Seconds from one look at the server's memory to the next."""

SECONDS = 60.0
"""After which an answer that has not come counts as an error."""


def main() -> None:
    """Ask, and print what came."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--libraries", type=Path, metavar="DIR", help="where to keep libraries")
    arguments = parser.parse_args()
    with serving_set(arguments.data, arguments.libraries, FILES) as (address, texts, files):
        job = start_job(address, files)
        while (before := embedded(job)) < MET:
            time.sleep(0.5)
        began = time.perf_counter()
        taken, memory = asyncio.run(measured(address, texts, arguments.rate, arguments.seconds))
        seconds = time.perf_counter() - began
        state, meanwhile = httpx.get(job).json()["state"], embedded(job) - before
        httpx.delete(job)
    print(f"{len(taken)} requests in {seconds:.0f} s, until the last answer\n")
    show(taken)
    memory = memory[int(len(memory) * WARMING) :]
    third = len(memory) // 3
    early, late = median(memory[:third]), median(memory[-third:])
    print(f"\nMemory, in {len(memory)} looks: {early:.0f} MB, {late:.0f} MB later.")
    print(f"The job encoded {meanwhile} passages meanwhile, and was {state} at the end.")
    print(circumstances())
    wrong = [kind for kind, _ in taken if not kind.startswith(("200", "429 with", "503 with"))]
    if wrong:
        sys.exit(f"{len(wrong)} answers were neither a result nor an honest refusal: {wrong[:5]}")
    if late > max(early * 1.05, early + 20):
        sys.exit("memory grew")
    if not meanwhile:
        sys.exit("nothing was indexed meanwhile")
    if seconds > arguments.seconds + SECONDS:
        sys.exit("this machine did not keep up with asking: the rate was lower")


def embedded(job: str) -> int:
    """How many passages a job has encoded."""
    progress = httpx.get(job, timeout=SECONDS).json()["progress"]
    return int(progress["embedded"])


async def measured(
    address: str, texts: Sequence[str], rate: float, seconds: float
) -> tuple[list[tuple[str, float]], list[float]]:
    """What came of each request, and the server's memory every few seconds, in MB."""
    memory: list[float] = []

    async def look() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=SECONDS) as client:
            while True:
                answer = await client.get("/metrics")
                found = RESIDENT.search(answer.raise_for_status().text)
                assert found
                memory.append(float(found[1]) / 1e6)
                await asyncio.sleep(EVERY)

    looking = asyncio.create_task(look())
    taken = await asked(address, texts, rate, seconds)
    looking.cancel()
    return taken, memory


async def asked(
    address: str, texts: Sequence[str], rate: float, seconds: float
) -> list[tuple[str, float]]:
    """What came of each request, and in how many seconds."""
    found: list[tuple[str, float]] = []

    async def ask(client: httpx.AsyncClient, text: str) -> None:
        began = time.perf_counter()
        try:
            answer = await client.get("/api/v1/search", params={"q": text})
        except httpx.HTTPError as error:
            kind = type(error).__name__
        else:
            kind = str(answer.status_code)
            if answer.status_code in HONEST:
                kind += " with Retry-After" if "retry-after" in answer.headers else " without"
        found.append((kind, time.perf_counter() - began))

    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(base_url=address, timeout=SECONDS, limits=limits) as client,
        asyncio.TaskGroup() as group,
    ):
        began = time.perf_counter()
        for number, text in zip(range(round(rate * seconds)), itertools.cycle(texts), strict=False):
            group.create_task(ask(client, text))
            await asyncio.sleep(max(0.0, began + (number + 1) / rate - time.perf_counter()))
    return found


def show(taken: Sequence[tuple[str, float]]) -> None:
    """A table in Markdown, in milliseconds."""
    print("| answer | requests | median | 99 % | most |\n|---|---:|---:|---:|---:|")
    for kind, count in sorted(Counter(kind for kind, _ in taken).items()):
        times = [seconds for one, seconds in taken if one == kind]
        median, late, most = (f"{1000 * np.quantile(times, q):.0f}" for q in (0.5, 0.99, 1.0))
        print(f"| {kind} | {count} | {median} | {late} | {most} |")


if __name__ == "__main__":
    main()
