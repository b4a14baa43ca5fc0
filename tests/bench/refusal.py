"""Does the library know what is not in it? Prints how often it refuses, and how honest it is.

::

    python tests/bench/refusal.py DATA [--library DIR] [--answerable squad_dev]
        [--foreign scifact aragog] [--questions N] [--halves]

DATA holds sets in the layout of BEIR, a folder each. A library is made of the documents of the
answerable set; its own questions are asked, then those of the foreign sets, and those of its file
``queries_unanswerable.jsonl``, where it has one: they are about its documents, which don't answer
them. ``--library DIR`` keeps the library. With ``--halves`` the library has the first half of the
documents only, and the questions about the others are the foreign ones: another subject in the same
language.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag import Library
from rag.confidence.calibration import ANSWERED
from rag.evaluation import corpus
from rag.evaluation.beir import read_beir

BINS = 10


def main() -> None:
    """Ask, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--answerable", default="squad_dev")
    parser.add_argument("--foreign", nargs="+", default=["scifact", "aragog"])
    parser.add_argument("--questions", type=int, default=400, help="at most, of each set")
    parser.add_argument("--halves", action="store_true", help="one half of the set is foreign")
    parser.add_argument("--library", type=Path, metavar="DIR", help="where to keep the library")
    arguments = parser.parse_args()
    labelled = read_beir(arguments.data / arguments.answerable)
    documents, near = labelled.documents or (), {}
    if arguments.halves:
        documents = documents[: len(documents) // 2]
        inside = {one.id for one in documents}
        own, foreign = (
            [
                one.text
                for one in labelled.questions
                if all(span.document in inside for span in one.spans) is wanted
            ]
            for wanted in (True, False)
        )
        strange = {"other half": foreign}
    else:
        own = texts(arguments.data / arguments.answerable / "queries.jsonl")
        strange = {one: texts(arguments.data / one / "queries.jsonl") for one in arguments.foreign}
        unanswerable = arguments.data / arguments.answerable / "queries_unanswerable.jsonl"
        near = {"unanswerable": texts(unanswerable)} if unanswerable.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.library or Path(temporary) / "library"
        with Library.open(folder) as library:
            if not library.status().documents:
                corpus.index(documents, library, progress=sys.stderr.isatty())
            found = {
                name: confidences(library, questions, arguments.questions)
                for name, questions in {"own": own, **strange, **near}.items()
            }
    print("| questions | number | refused | AUROC |\n|---|---:|---:|---:|")
    for name, said in found.items():
        refused, area = (said < ANSWERED).mean(), auroc(found["own"], said)
        print(f"| {name} | {len(said)} | {refused:.1%} | {area:.3f} |")
    print_reliability(found["own"], np.concatenate([found[name] for name in strange]))


def texts(path: Path) -> list[str]:
    """The questions in a file."""
    return [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines()]


def confidences(library: Library, questions: list[str], most: int) -> NDArray[np.float64]:
    """What the library says of questions, at most so many of them: the same ones on every run."""
    random.Random(1).shuffle(questions)  # noqa: S311 — no secret
    return np.array([library.ask(one, 1).confidence for one in questions[:most]])


def auroc(higher: NDArray[np.float64], lower: NDArray[np.float64]) -> float:
    """How often one of the first is above one of the second; ties count one half."""
    above = (higher[:, None] > lower).mean()
    return float(above + (higher[:, None] == lower).mean() / 2)


def print_reliability(own: NDArray[np.float64], strange: NDArray[np.float64]) -> None:
    """Of the questions that got a confidence, how many are answered; both kinds weigh one half.

    The expected calibration error is the mean over ten bins of equal width of what the two
    differ, each bin weighing what falls in it.
    """
    said = np.concatenate([own, strange])
    true = np.arange(len(said)) < len(own)
    weights = np.where(true, 0.5 / len(own), 0.5 / len(strange))
    bins = np.minimum((said * BINS).astype(int), BINS - 1)
    error = 0.0
    print(
        "\n| confidence | share of questions | mean confidence | answered |\n|---|---:|---:|---:|"
    )
    for number in range(BINS):
        inside = bins == number
        share = weights[inside].sum()
        if share:
            mean = weights[inside] @ said[inside] / share
            answered = weights[inside] @ true[inside] / share
            error += share * abs(mean - answered)
            ends = f"{number / BINS:.1f}-{(number + 1) / BINS:.1f}"
            print(f"| {ends} | {share:.3f} | {mean:.3f} | {answered:.3f} |")
    print(f"expected calibration error: {error:.3f}")


if __name__ == "__main__":
    main()
