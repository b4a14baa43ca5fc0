"""What each part of retrieval is worth: it is switched off, and the same questions asked again.

::

    python tests/bench/ablations.py ../shared/data/squad_dev ../shared/data/scifact
        [--questions N] [--libraries DIR] [--parts NAME …]

Takes sets in the layout that ``rag eval`` reads, makes a library of each with default settings,
and prints a table in Markdown: how much is lost without each part, with the 95 % interval of a
paired bootstrap over the questions. ``--libraries DIR`` keeps the libraries, as for
``quality.py``.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from quality import circumstances, differences
from variants import WITHOUT, Variant, searches

from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import spread
from rag.evaluation.metrics import Estimate
from rag.evaluation.report import evaluate, open_library

MEASURES = {
    "answer MRR@10": "MRR",
    "answer in marked sentence": "marked",
    "document nDCG@10": "nDCG",
}
"""The measures that are shown, where a set is labelled for them."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Of a set, by its ``name``: for each part how far a library with it is above one without."""

    name: str
    parts: list[dict[str, Estimate]]


def main() -> None:
    """Measure the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--questions", type=int, help="only so many of each, spread over the set")
    parser.add_argument("--libraries", type=Path, metavar="DIR", help="where to keep libraries")
    parser.add_argument(
        "--parts", nargs="+", choices=WITHOUT, default=list(WITHOUT), metavar="NAME"
    )
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = arguments.libraries or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        found = [
            measured(one, folder / one.name, arguments.parts, arguments.questions)
            for one in arguments.sets
        ]
    print(as_markdown(found, arguments.parts))
    print(f"\n{circumstances()}")


def measured(data: Path, library: Path, parts: list[str], most: int | None) -> Losses:
    """What is lost without each part."""
    labelled = read_beir(data)
    questions = spread(labelled.questions, most)
    with open_library(labelled, library) as ready:
        variants = [Variant(), *(WITHOUT[part] for part in parts)]
        whole, *without = [
            [*evaluate(questions, ready, search)] for search in searches(ready.library, variants)
        ]
    losses = [differences(whole, one) for one in without]
    return Losses(f"{labelled.name} ({len(questions):,})", losses)


def as_markdown(sets: list[Losses], parts: list[str]) -> str:
    """A row for each part, a column for each set."""
    names = [one.name for one in sets]
    lines = [" | ".join(["| without", *names]) + " |", "|---" * (len(sets) + 1) + "|"]
    for part, *found in zip(parts, *(one.parts for one in sets), strict=True):
        lines.append(" | ".join([f"| {part}", *map(cell, found)]) + " |")
    return "\n".join(lines)


def cell(losses: Mapping[str, Estimate]) -> str:
    """What is lost, measure by measure, without those that are the same for every question."""
    shown = [
        f"{short} {loss(losses[name])}"
        for name, short in MEASURES.items()
        if name in losses and losses[name].low < losses[name].high
    ]
    return "<br>".join(shown) or "none"


def loss(found: Estimate) -> str:
    """The mean loss with its interval."""
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


if __name__ == "__main__":
    main()
