"""From the start of a process to the first answer, beside others.

::

    python tests/bench/cold_start.py [--times N] [--peers PYTHON]

Files are in the page cache: everything runs once before. A peer's script indexes three sentences
and asks; ``rag ask`` and ``retrieve`` ask an existing library.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from ingest_rate import PEERS
from quality import circumstances

ROOT = Path(__file__).parents[2]
QUESTION = "Which company supplies the turret?"

RETRIEVE = """
import os, sys
os.environ["RAG_LIBRARY"] = sys.argv[1]
from rag import retrieve
assert retrieve(sys.argv[2], 1)
"""
"""A program that answers one question."""


def main() -> None:
    """Print the median and the maximum time, and the median of the peak resident memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--peers", metavar="PYTHON", default=".venv-peers/bin/python")
    parser.add_argument("--only", nargs="*", metavar="NAME", default=PEERS)
    arguments = parser.parse_args()
    print("| | seconds | most | peak memory, MB |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as temporary:
        library = f"{temporary}/library"
        for name, command in commands(library, arguments.peers, arguments.only):
            run(command)  # fills the page cache
            seconds, memory = zip(*(run(command) for _ in range(arguments.times)), strict=True)
            print(f"| {name} | {median(seconds):.2f} | {max(seconds):.2f} | {median(memory):.0f} |")
    print(f"\n{circumstances()}")


def commands(library: str, python: str, peers: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Name and command of each system; makes the library."""
    rag = [sys.executable, "-m", "rag"]
    run([*rag, "index", str(ROOT / "seeds"), "--library", library])
    yield "rag ask", [*rag, "ask", QUESTION, "-k", "1", "--library", library]
    yield "retrieve", [sys.executable, "-c", RETRIEVE, library, QUESTION]
    script = str(Path(__file__).parent / "peers" / "speed.py")
    for name in peers:
        yield name, [python, "-W", "ignore", script, name]


def run(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak memory in MB of a command that must succeed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed; run it by hand")
    return seconds, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
