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
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from quality import circumstances

from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import Question, spread
from rag.evaluation.metrics import DEPTH
from rag.evaluation.modes import parse_mode
from rag.evaluation.query_run import SHOWN, Answered
from rag.evaluation.relevance import Judged, judge
from rag.evaluation.report import Opened, opened
from rag.evaluation.results import differences
from rag.evaluation.statistics import Difference

WHOLE = "hybrid"

PARTS = {
    "word index": "hybrid,meaning_weight=1",
    "vectors": "hybrid,meaning_weight=0",
    "vectors of sentences, not of passages": "hybrid,whole_passages=true",
    "late interaction": "fusion",
    "fusion in the score": "hybrid,tokens_weight=1",
    "the best sentence's share": "hybrid,sentence_share=0",
    "marks without weight": "hybrid,marks_weight=1",
    "titles for every passage": "hybrid,titles=false",
    "sentence before": "hybrid,before_share=0",
    "only beginnings of words": "hybrid,continued_weight=1",
    "chance by length": "hybrid,chance=0",
}
"""Each part by its name, with the mode of ``rag eval`` that goes without it."""

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
    parts: list[dict[str, Difference]]


def main() -> None:
    """Measure the sets and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET")
    parser.add_argument("--questions", type=int, help="only so many of each, spread over the set")
    parser.add_argument("--libraries", type=Path, metavar="DIR", help="where to keep libraries")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), metavar="NAME")
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
    with opened(labelled, library) as ready:
        whole, *without = judged(ready, questions, [WHOLE, *(PARTS[part] for part in parts)])
    losses = [differences(whole, one) for one in without]
    return Losses(f"{labelled.name} ({len(questions):,})", losses)


def judged(ready: Opened, questions: Sequence[Question], modes: list[str]) -> list[list[Judged]]:
    """What each mode finds for the questions; the model reads each of them once."""
    settings = [parse_mode(mode).settings for mode in modes]
    answered: list[list[Answered]] = [[] for _ in modes]
    for question in questions:
        # Where passages are labelled, the documents say nothing more.
        depth = SHOWN if question.spans else DEPTH
        found = ready.searcher.search_each(question, depth, settings)
        for mine, hits in zip(answered, found, strict=True):
            documents = dict.fromkeys(name for hit in hits for name in ready.names(hit))
            mine.append(Answered(question, tuple(hits[:SHOWN]), tuple(documents), 0.0))
    return [judge(one, ready.judge) for one in answered]


def as_markdown(sets: list[Losses], parts: list[str]) -> str:
    """A row for each part, a column for each set."""
    names = [one.name for one in sets]
    lines = [" | ".join(["| without", *names]) + " |", "|---" * (len(sets) + 1) + "|"]
    for part, *found in zip(parts, *(one.parts for one in sets), strict=True):
        lines.append(" | ".join([f"| {part}", *map(cell, found)]) + " |")
    return "\n".join(lines)


def cell(losses: Mapping[str, Difference]) -> str:
    """What is lost, measure by measure, without those that are the same for every question."""
    shown = [
        f"{short} {loss(losses[name])}"
        for name, short in MEASURES.items()
        if name in losses and losses[name].low < losses[name].high
    ]
    return "<br>".join(shown) or "none"


def loss(found: Difference) -> str:
    """The mean loss with its interval."""
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


if __name__ == "__main__":
    main()
