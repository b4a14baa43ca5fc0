"""How well the right passage is found: the table in RESULTS.md. Run by hand:

    python tests/bench/quality.py ../shared/data/squad_dev ../shared/data/chroma_chunking

Takes sets in the layout that ``rag eval`` reads, makes a library of each with default settings,
asks all questions, and prints a table in Markdown, with the commit and the versions that it was
made with. ``--libraries DIR`` keeps the libraries, so that the next run needs no model for them;
``--model`` makes them with another model, and ``--variant`` measures a search without a part of the
ranking (``variants.py``).
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import numpy as np
from variants import VARIANTS, Variant, searches

from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import spread
from rag.evaluation.metrics import Estimate, estimate
from rag.evaluation.relevance import Judged
from rag.evaluation.report import Report, evaluate, open_library, report
from rag.models.embedder import SentenceTransformerEmbedder

COLUMNS = {
    "MRR@10": "answer MRR@10",
    "in first hit": "answer in first hit",
    "in marked sentence": "answer in marked sentence",
    "all in five hits": "all answers in 5 hits",
    "text recall@5": "text recall@5",
    "precision@5": "text precision@5",
    "IoU@5": "text IoU@5",
    "documents nDCG@10": "document nDCG@10",
    "MRR@10 ": "document MRR@10",
    "recall@100": "document recall@100",
}
PACKAGES = ("rag", "torch", "sentence-transformers", "faiss-cpu", "tantivy", "numpy", "ir-measures")


def main() -> None:
    """Measure the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--questions", type=int, help="only so many of each, spread over the set")
    parser.add_argument("--libraries", type=Path, metavar="DIR", help="where to keep libraries")
    parser.add_argument("--model", help="of new libraries; by default the packaged one")
    parser.add_argument("--variant", choices=VARIANTS, default="hybrid")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory())
        folder = arguments.libraries or Path(temporary)
        reports = [
            measured(
                one,
                folder / one.name,
                VARIANTS[arguments.variant],
                arguments.questions,
                arguments.model,
            )
            for one in arguments.sets
        ]
    print(as_markdown(reports))
    print(f"\n{circumstances()}")


def measured(
    data: Path, library: Path, variant: Variant, most: int | None, model: str | None
) -> Report:
    """The figures of one set."""
    labelled = read_beir(data)
    embedder = SentenceTransformerEmbedder.named(model) if model else None
    progress = sys.stderr.isatty()
    with open_library(labelled, library, progress=progress, embedder=embedder) as ready:
        (search,) = searches(ready.library, [variant])
        return report(ready, [*evaluate(spread(labelled.questions, most), ready, search)])


def differences(ours: Sequence[Judged], theirs: Sequence[Judged]) -> dict[str, Estimate]:
    """How far the first are above the second in each metric, for the same questions in order."""
    names = dict.fromkeys(name for one in ours for name in one.values)
    pairs = [*zip(ours, theirs, strict=True)]
    return {
        name: estimate(
            np.array([a.values[name] - b.values[name] for a, b in pairs if name in a.values])
        )
        for name in names
    }


def as_markdown(reports: list[Report]) -> str:
    """A row for each set, a column for each measure, with half the width of its interval."""
    lines = [
        " | ".join(["| set", "questions", *COLUMNS, "ms |"]),
        " | ".join(["|---", "---:", *["---:"] * len(COLUMNS), "---: |"]),
    ]
    for found in reports:
        cells = [f"| `{found.set}`", f"{found.questions:,}"]
        for name in COLUMNS.values():
            one = found.metrics.get(name)
            cells.append(f"{one.mean:.3f} ± {(one.high - one.low) / 2:.3f}" if one else "")
        lines.append(" | ".join([*cells, f"{found.seconds * 1000:.0f} |"]))
    return "\n".join(lines)


def circumstances() -> str:
    """The commit, with a plus where files were changed since, and the versions."""
    described = ["git", "describe", "--always", "--dirty=+", "--abbrev=12"]
    found = subprocess.run(
        described, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    commit = found.stdout.strip() or "unknown"  # a copy without its history
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Commit {commit}, Python {platform.python_version()}, {packages}."


if __name__ == "__main__":
    main()
