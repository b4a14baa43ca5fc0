"""How many characters a second are indexed, beside others: same texts, same model, one run.

::

    python tests/bench/ingest_rate.py SET [--characters N] [--rounds N] [--peers PYTHON]

In each round everyone indexes the texts once, each in a process of its own and in another order
from round to round, so that what else the machine does meets all alike. Ratios are within a
round. The peers do what they do by default; rag does all that ``rag index`` does: it reads files,
makes vectors of sentences and bits of tokens, commits to its store, builds both indexes, and
measures its confidence; the cache of encodings is off. Loading the model counts for everyone.
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

from bench_texts import first_texts, written
from quality import circumstances

PEERS = ("LangChain", "LlamaIndex", "Haystack", "txtai, paragraphs", "Chroma")
RAG = "rag"
ALL_OF_THE_TEXT = 0.99
"""Who lets this share of all tokens go through the model, embeds all of the text."""

Row = dict[str, float]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("--characters", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=Path, metavar="PYTHON", default=".venv-peers/bin/python")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=PEERS)
    parser.add_argument("--index", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.index:
        print(json.dumps(indexed(arguments.data)))
        return
    texts = first_texts(arguments.data, arguments.characters)
    found = measured(texts, arguments.rounds, arguments.peers, arguments.only)
    print(json.dumps(found), table(found), circumstances(), sep="\n\n")


def measured(
    texts: dict[str, str], rounds: int, python: Path, names: Sequence[str] = PEERS
) -> dict[str, object]:
    """Rates of everyone by round, and how many times as fast as each rag is."""
    characters = sum(map(len, texts.values()))
    systems = [RAG, *names]
    taken: dict[str, list[Row]] = {name: [] for name in systems}
    with tempfile.TemporaryDirectory() as temporary:
        files = written(texts, Path(temporary) / "texts")
        listed = Path(temporary) / "texts.json"
        listed.write_text(json.dumps(texts))
        peer = [str(python), "-W", "ignore", str(Path(__file__).parent / "peers" / "rate.py")]
        for number in range(rounds):
            for name in [*systems[number % len(systems) :], *systems[: number % len(systems)]]:
                command = (
                    [sys.executable, __file__, str(files), "--index"]
                    if name == RAG
                    else [*peer, name, str(listed)]
                )
                row = json.loads(
                    subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                    .stdout.strip()
                    .splitlines()[-1]
                )
                taken[name].append(row)
                rate = characters / row["seconds"] / 1000
                print(f"round {number + 1}: {name} {rate:.1f} kchar/s", file=sys.stderr, flush=True)
    return summary(taken, characters)


def summary(taken: dict[str, list[Row]], characters: int) -> dict[str, object]:
    """Medians over the rounds, with the least and the most, of rates and of ratios."""
    rates = {name: [characters / row["seconds"] for row in rows] for name, rows in taken.items()}
    whole = [name for name in taken if name != RAG and taken[name][0]["share"] >= ALL_OF_THE_TEXT]
    best = [max(rates[name][n] for name in whole) for n in range(len(rates[RAG]))] if whole else []
    return {
        "characters": characters,
        "systems": {
            name: {
                "characters_per_second": spread(rates[name]),
                "share_of_tokens_embedded": taken[name][0]["share"],
                "chunks": taken[name][0]["chunks"],
                "rag_is_times_as_fast": spread(
                    [ours / theirs for ours, theirs in zip(rates[RAG], rates[name], strict=True)]
                ),
            }
            for name in taken
        },
        "times_the_fastest_that_embeds_all": spread(
            [ours / theirs for ours, theirs in zip(rates[RAG], best, strict=False)]
        )
        if best
        else None,
    }


def spread(values: Sequence[float]) -> list[float]:
    """The least, the median and the most."""
    return [min(values), median(values), max(values)]


def indexed(files: Path) -> Row:
    """Index with rag, in this process, after it has done so once with one text."""
    from rag import Library
    from rag.runtime.threads import limit_blas_to_one_thread

    limit_blas_to_one_thread()  # as the command does
    with tempfile.TemporaryDirectory() as temporary:
        first = Path(temporary) / "first.txt"
        first.write_text("Everything is imported and has run once.")
        with Library.open(Path(temporary) / "warm") as library:
            library.index(first)
        began = time.perf_counter()
        with Library.open(Path(temporary) / "library") as library:
            report = library.index(files)
        return {
            "seconds": time.perf_counter() - began,
            "chunks": report.embedded + report.reused,
            "share": 1.0,
        }


def table(found: dict[str, object]) -> str:
    """A row for each system."""
    lines = [
        "| | thousand characters a second | tokens embedded | rag is … times as fast |",
        "|---|---:|---:|---:|",
    ]
    for name, one in found["systems"].items():
        least, middle, most = (value / 1000 for value in one["characters_per_second"])
        low, times, high = one["rag_is_times_as_fast"]
        ratio = "" if name == RAG else f"{times:.2f} [{low:.2f}, {high:.2f}]"
        share = one["share_of_tokens_embedded"]
        lines.append(f"| {name} | {middle:.1f} [{least:.1f}, {most:.1f}] | {share:.1%} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
