"""How fast it is: all parts in one run, as JSON, a table and a picture.

::

    make bench DATA=folder

or ``python tests/bench/bench.py DATA [--parts ingest bound query cold] [--library DIR]``.
Each part is a module beside this one, and can be run alone. ``--library`` is a large one to ask, of
``growth.py`` say; without it, one is made of ``squad_dev``. What is measured goes into one file,
with the machine, the versions and the commit; a part that is not run stays as it was there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import cold_start
import ingest_rate
import query_stages
from bench_texts import first_texts, questions
from quality import circumstances

from rag.evaluation.beir import read_beir
from rag.evaluation.report import open_library

PARTS = ("ingest", "bound", "query", "cold")


def main() -> None:
    """Measure, write, draw and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=Path("bench.json"), metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE")
    parser.add_argument("--library", type=Path, metavar="DIR")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", default=".venv-peers/bin/python")
    parser.add_argument("--characters", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--questions", type=int, default=400)
    arguments = parser.parse_args()
    written = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    for name in arguments.parts:
        found = measured(name, arguments)
        written[name] = {"found": found, "machine": machine(), "made with": circumstances()}
        arguments.out.write_text(json.dumps(written, indent=1) + "\n")
        print(json.dumps({name: found}), flush=True)
    print(as_markdown(written))
    if arguments.plot:
        draw(written, arguments.plot)


def measured(part: str, arguments: argparse.Namespace) -> object:
    """One part's figures."""
    if part == "ingest":
        texts = first_texts(arguments.data / "squad_articles", arguments.characters)
        return ingest_rate.measured(texts, arguments.rounds, arguments.peers)
    if part == "cold":
        return cold_start.measured(arguments.times, arguments.peers)
    if part == "query":
        library = arguments.library or made(arguments.data / "squad_dev")
        asked = questions(arguments.data / "squad_dev", arguments.questions)
        return query_stages.measured(library, asked, clients=8)
    bound = Path(__file__).with_name("bound.py")
    if not bound.exists():
        return None
    run = subprocess.run([sys.executable, bound], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(next(line for line in run.stdout.splitlines() if line.startswith("{")))


def made(data: Path) -> Path:
    """A library of a set, which is kept for the next run."""
    library = Path(".bench") / data.name
    with open_library(read_beir(data), library, progress=sys.stderr.isatty()):
        return library


def machine() -> str:
    """Processor, cores and memory."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = names[0] if names else platform.processor()
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def as_markdown(written: Mapping[str, Mapping[str, object]]) -> str:
    """What there is, as tables."""
    parts = []
    if ingest := written.get("ingest"):
        parts.append(ingest_rate.table(ingest["found"]))
    if query := written.get("query"):
        parts.append(query_stages.table(query["found"]))
    if cold := written.get("cold"):
        parts.append(cold_start.table(cold["found"]))
    for name, one in written.items():
        parts.append(f"{name}: {one['machine']}. {one['made with']}")
    return "\n\n".join(parts)


def draw(written: Mapping[str, Mapping[str, object]], file: Path) -> None:
    """Bars of what there is of ingest and cold start, rag's in another colour."""
    from matplotlib.figure import Figure

    bars: dict[str, dict[str, float]] = {}
    if ingest := written.get("ingest"):
        systems = ingest["found"]["systems"]
        bars["thousand characters indexed a second"] = {
            name: one["characters_per_second"][1] / 1000 for name, one in systems.items()
        }
    if cold := written.get("cold"):
        commands = cold["found"]["commands"]
        bars["seconds from the start to the first answer"] = {
            name: one["seconds"] for name, one in commands.items() if "import" not in name
        }
    figure = Figure(figsize=(9, 3), layout="constrained")
    for axes, (title, values) in zip(
        figure.subplots(1, len(bars), squeeze=False)[0], bars.items(), strict=True
    ):
        ordered = sorted(values.items(), key=lambda one: one[1])
        colours = ["#1a7f5a" if name.startswith("rag") else "#b8c0c8" for name, _ in ordered]
        drawn = axes.barh(*zip(*ordered, strict=True), color=colours)
        axes.bar_label(drawn, fmt="%.1f", padding=3)
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.set_xticks([])
        axes.margins(x=0.15)
    figure.savefig(file, dpi=150)


if __name__ == "__main__":
    main()
