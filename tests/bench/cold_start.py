"""From the start of a process to the first answer, beside others.

::

    python tests/bench/cold_start.py [--times N] [--peers PYTHON]

Files are in the page cache: everything runs once before. A peer's script indexes three sentences
and asks; ``rag ask`` and ``retrieve`` ask a library that is there. Seconds are the median; memory
is the peak of resident memory in MB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from ingest_rate import PEERS
from quality import circumstances

ROOT = Path(__file__).parent.parent.parent

RETRIEVE = """
import os, sys
os.environ["RAG_LIBRARY"] = sys.argv[1]
from rag import retrieve
assert retrieve(sys.argv[2], 1)
"""
"""What a program does that answers one question."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--peers", type=Path, metavar="PYTHON", default=".venv-peers/bin/python")
    parser.add_argument("--only", nargs="*", metavar="NAME", default=PEERS)
    arguments = parser.parse_args()
    found = measured(arguments.times, arguments.peers, arguments.only)
    print(json.dumps(found), circumstances(), sep="\n\n")


def measured(times: int, python: Path, names: Sequence[str] = PEERS) -> dict[str, object]:
    """Seconds and memory of each command."""
    with tempfile.TemporaryDirectory() as temporary:
        library = f"{temporary}/library"
        rag = [sys.executable, "-m", "rag"]
        subprocess.run(
            [*rag, "index", str(ROOT / "seeds"), "--library", library],
            check=True,
            capture_output=True,
        )
        question = "Which company supplies the turret?"
        commands = {
            "rag ask": [*rag, "ask", question, "-k", "1", "--library", library],
            "retrieve": [sys.executable, "-c", RETRIEVE, library, question],
        }
        script = str(Path(__file__).parent / "peers" / "cold.py")
        for name in names:
            commands[name] = [str(python), "-W", "ignore", script, name]
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(times + 1):
            for name, command in commands.items():
                row = run(command)
                if number:  # the first time fills the page cache
                    taken[name].append(row)
        return {
            "commands": {
                name: {
                    "seconds": median(seconds for seconds, _ in rows),
                    "most_seconds": max(seconds for seconds, _ in rows),
                    "peak_mb": median(memory for _, memory in rows),
                }
                for name, rows in taken.items()
            },
            "page": [page(library) for _ in range(times)],
        }


def table(found: dict[str, object]) -> str:
    """A row for each command."""
    lines = ["| | seconds | most | peak memory, MB |", "|---|---:|---:|---:|"]
    lines += [
        f"| {name} | {one['seconds']:.2f} | {one['most_seconds']:.2f} | {one['peak_mb']:.0f} |"
        for name, one in found["commands"].items()
    ]
    for name, words in [("page_s", "page is there"), ("model_s", "… and its model is ready")]:
        taken = [one[name] for one in found["page"]]
        lines.append(f"| rag serve: {words} | {median(taken):.2f} | {max(taken):.2f} | |")
    return "\n".join(lines)


def run(command: Sequence[str]) -> tuple[float, float]:
    """Seconds and peak memory of a command that must succeed."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed; run it by hand")
    return seconds, used.ru_maxrss / 1024


def page(library: str) -> dict[str, float]:
    """Seconds until ``rag serve`` shows a page, and until its model is ready."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "rag", "serve", "--library", library, "--port", "0"]
    found: dict[str, float] = {}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = next(json.loads(line)["address"] for line in server.stderr if "Ready" in line)
        # A pipe that nobody reads would stop the server, which logs every request.
        threading.Thread(target=server.stderr.read, daemon=True).start()
        with urllib.request.urlopen(address) as answer:  # noqa: S310 (our own server)
            assert answer.read()
        found["page_s"] = time.perf_counter() - began
        while True:
            with urllib.request.urlopen(f"{address}/health") as answer:  # noqa: S310
                if json.load(answer)["model"] == "ready":
                    break
            time.sleep(0.02)
        found["model_s"] = time.perf_counter() - began
        server.terminate()
    return found


if __name__ == "__main__":
    main()
