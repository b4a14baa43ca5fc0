"""How many characters a second are indexed, beside others: same texts, same model, one run.

::

    python tests/bench/ingest_rate.py SET [--characters N] [--rounds N] [--peers PYTHON]

In each round everyone indexes the texts once, each in a process of its own and in another order
from round to round, so that whatever else the machine does affects all alike. Ratios are within a
round. The peers use their defaults; rag does all that ``rag index`` does: it reads files, makes
sentence vectors and token bits, commits to its store, builds both indexes, and calibrates itself.
Loading the model counts for everyone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from quality import circumstances

from rag import Library
from rag.evaluation.beir import read_beir
from rag.runtime.threads import limit_blas_to_one_thread

PEERS = ("LangChain", "LlamaIndex", "Haystack", "txtai, paragraphs", "Chroma")
RAG = "rag"

Row = dict[str, float]
"""``seconds``, and the ``share`` of the tokens that went through the model."""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("--characters", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", metavar="PYTHON", default=".venv-peers/bin/python")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=PEERS)
    parser.add_argument("--index", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.index:
        print(json.dumps(index(arguments.data)))
        return
    texts: list[str] = []
    for one in read_beir(arguments.data).documents or ():
        if sum(map(len, texts)) >= arguments.characters:
            break
        texts.append(one.text)
    taken = measure(texts, arguments.rounds, arguments.peers, arguments.only)
    print(as_markdown(taken, sum(map(len, texts))), circumstances(), sep="\n\n")


def measure(
    texts: Sequence[str], rounds: int, python: str, peers: Sequence[str]
) -> dict[str, list[Row]]:
    """Each system's results, by round."""
    systems = [RAG, *peers]
    taken: dict[str, list[Row]] = {name: [] for name in systems}
    with tempfile.TemporaryDirectory() as temporary:
        files = Path(temporary) / "texts"
        files.mkdir()
        for number, text in enumerate(texts):
            (files / f"{number:05}.txt").write_text(text, encoding="utf-8")
        script = str(Path(__file__).parent / "peers" / "speed.py")
        for turn in range(rounds):
            for name in [*systems[turn % len(systems) :], *systems[: turn % len(systems)]]:
                command = (
                    [sys.executable, __file__, files, "--index"]
                    if name == RAG
                    else [python, "-W", "ignore", script, name, files]
                )
                run = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                taken[name].append(json.loads(run.stdout.splitlines()[-1]))
                print(f"round {turn + 1}: {name} {taken[name][-1]}", file=sys.stderr, flush=True)
    return taken


def index(files: Path) -> Row:
    """Index with rag, in this process, after it has done so once with one text."""
    limit_blas_to_one_thread()  # as the command does
    with tempfile.TemporaryDirectory() as temporary:
        first = Path(temporary) / "first.txt"
        first.write_text("Everything is imported and has run once.")
        with Library.open(Path(temporary) / "warm") as library:
            library.index(first)
        began = time.perf_counter()
        with Library.open(Path(temporary) / "library") as library:
            library.index(files)
        return {"seconds": time.perf_counter() - began, "share": 1.0}


def as_markdown(taken: dict[str, list[Row]], characters: int) -> str:
    """A row for each system: medians over the rounds, with minimum and maximum."""
    lines = [
        "| | thousand characters a second | tokens embedded | rag is … times as fast |",
        "|---|---|---:|---|",
    ]
    for name, rows in taken.items():
        rates = spread([characters / row["seconds"] / 1000 for row in rows])
        times = spread(
            [row["seconds"] / our["seconds"] for our, row in zip(taken[RAG], rows, strict=True)]
        )
        lines.append(f"| {name} | {rates} | {rows[0]['share']:.1%} | {times} |")
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """The median, with minimum and maximum."""
    return f"{median(values):.2f} [{min(values):.2f}, {max(values):.2f}]"


if __name__ == "__main__":
    main()
