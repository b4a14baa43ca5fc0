"""What growth costs: libraries of a thousand, ten thousand, … a million passages. Run by hand:

    python tests/bench/growth.py ../shared/data/squad_dev FOLDER [--sizes 1000 10000] [--plot FILE]

A library of the set is varied (large_libraries.py) until there are as many passages. What was made
in FOLDER once is only measured the next time, each size in a process of its own: opening it,
asking questions of the set, memory, disk, one document added until it is found, one removed until
it is not. How many of the ten nearest sentences the vector index proposes is worked out against
all vectors in the store. A million passages take about 15 GB in FOLDER and an hour. Prints one
JSON object a size, and a table in Markdown at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from large_libraries import Real, all_vectors, grow, read_real
from quality import circumstances

from rag import Library
from rag.evaluation.beir import read_beir
from rag.evaluation.report import open_library
from rag.index.folder import locked
from rag.index.vectors.segment import BEST, PROPOSED, Nearest
from rag.models.embedder import SentenceTransformerEmbedder

SIZES = (1_000, 10_000, 100_000, 1_000_000)

QUESTIONS = 200
"""Asked of each library, after twenty to warm up."""

MARKER = "The zyzzogeton of Wexcombe keeps its brass orrery in the granary."


def main() -> None:
    """Grow a library from size to size, and measure each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, metavar="SET")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--plot", type=Path, metavar="FILE")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured(arguments.data, arguments.folder)))
        return
    embedder = SentenceTransformerEmbedder()
    with open_library(read_beir(arguments.data), arguments.folder / "real", progress=True):
        pass
    real = read_real(arguments.folder / "real", embedder.dimension)
    rows = []
    for size in sorted(arguments.sizes):
        library = arguments.folder / str(size)
        seconds = library.with_suffix(".json")
        if not seconds.exists():
            seconds.write_text(json.dumps(made(library, real, embedder, size)))
        run = subprocess.run(
            [sys.executable, __file__, arguments.data, library, "--measure"],
            capture_output=True,
            text=True,
            check=True,
        )
        row = json.loads(run.stdout.splitlines()[-1])
        rows.append({"passages": size, **json.loads(seconds.read_text()), **row})
        print(json.dumps(rows[-1]), flush=True)
    print(table(rows), circumstances(), sep="\n\n")
    if arguments.plot:
        draw(rows, arguments.plot)


def made(
    folder: Path, real: Real, embedder: SentenceTransformerEmbedder, size: int
) -> dict[str, float]:
    """Make a library of so many passages; the seconds that its store and its indexes took."""
    with Library.open(folder, embedder=embedder) as library:
        stored = timed(lambda: grow(folder, real, embedder, size))
        with locked(folder):
            published = timed(library.engine.snapshots.publish)
    return {"stored_s": stored, "published_s": published}


def measured(data: Path, folder: Path) -> dict[str, float]:
    """Everything that one size costs, in this process."""
    texts = [question.text for question in read_beir(data).questions[: QUESTIONS + 20]]
    embedder = SentenceTransformerEmbedder()
    embedder.query("the model is loaded before the clock runs")
    began = time.perf_counter()
    library = Library.open(folder, embedder=embedder)
    library.search(texts[0])
    opening = time.perf_counter() - began
    library.ask(texts[0])  # measures the confidence, once
    waits = [timed(lambda text=text: library.search(text, 5)) for text in texts]
    serving = resident()
    status = library.status()
    file = folder.parent / "added.txt"
    file.write_text("Some other words, so that the confidence is measured before the clock runs.")
    library.index(file)
    file.write_text(f"{MARKER} Nobody else does.")
    added = timed(lambda: library.index(file))
    found = library.search("Where is the orrery of the zyzzogeton?", 1)[0].answer.text == MARKER
    removed = timed(lambda: library.remove([file]))
    gone = library.search("Where is the orrery of the zyzzogeton?", 1)[0].answer.text != MARKER
    assert found
    assert gone
    return {
        "sentences": status.sentences,
        "open_ms": 1000 * opening,
        "p50_ms": 1000 * float(np.median(waits[20:])),
        "p99_ms": 1000 * float(np.quantile(waits[20:], 0.99)),
        "resident_mb": serving,
        "disk_mb": status.bytes / 1e6,
        "added_ms": 1000 * added,
        "removed_ms": 1000 * removed,
        "recall_at_10": recall(library, embedder, texts[20:]),
    }


def recall(library: Library, embedder: SentenceTransformerEmbedder, texts: list[str]) -> float:
    """Share of the ten nearest sentences of each question whose passages the index proposes."""
    questions = np.stack([embedder.query(text).vector for text in texts])
    nearest = Nearest(questions)
    for _ in nearest.observe(all_vectors(library.path, embedder.dimension)):
        pass
    vectors = library.engine.snapshots.current().vectors
    found = 0
    for question, keys in zip(questions, nearest.keys, strict=True):
        proposed, _ = vectors.search(question, PROPOSED)
        found += int(np.isin(keys, proposed).sum())
    return found / (BEST * len(questions))


def resident() -> float:
    """Resident memory of this process in MB; what is mapped and was touched counts."""
    said = Path("/proc/self/status").read_text().split("VmRSS:")[1]
    return int(said.split()[0]) / 1024


def timed(call: object) -> float:
    """Seconds that a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def table(rows: list[dict[str, float]]) -> str:
    """The rows in Markdown."""
    columns = {
        "passages": "passages",
        "sentences": "sentences",
        "published_s": "indexes built, s",
        "open_ms": "open, ms",
        "p50_ms": "question p50, ms",
        "p99_ms": "p99, ms",
        "resident_mb": "resident, MB",
        "disk_mb": "disk, MB",
        "added_ms": "one added, ms",
        "removed_ms": "one removed, ms",
        "recall_at_10": "recall@10",
    }
    lines = [columns.values(), ["---:"] * len(columns)]
    for row in rows:
        values = [row[name] for name in columns]
        lines.append([f"{value:.3f}" if value <= 1 else f"{value:,.0f}" for value in values])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(rows: list[dict[str, float]], path: Path) -> None:
    """Milliseconds and megabytes over passages, both axes logarithmic."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    times, sizes = figure.subplots(1, 2)
    passages = [row["passages"] for row in rows]
    labels = {
        "p50_ms": "a question, median",
        "open_ms": "opening and a first question",
        "added_ms": "one document added",
        "removed_ms": "one removed",
        "resident_mb": "memory while serving",
        "disk_mb": "disk",
    }
    for name, label in labels.items():
        axes = times if name.endswith("_ms") else sizes
        axes.loglog(passages, [row[name] for row in rows], marker="o", label=label)
    for axes, unit in ((times, "milliseconds"), (sizes, "megabytes")):
        axes.set(xlabel="passages", ylabel=unit)
        axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
        axes.yaxis.set_minor_formatter("{x:,.0f}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:,.0f}")
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
