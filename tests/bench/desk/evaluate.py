"""Ask the questions of a desk, and print how many are answered, marked and refused as they should.

::

    python tests/bench/desk/build.py --data ../shared/data DESK
    python tests/bench/desk/evaluate.py DESK LIBRARY [--half A] [--model NAME] [--outcomes FILE]

The files of DESK are indexed in the folder LIBRARY with default settings; a library that is up to
date is only asked. Choices are made on half A, and reported on half B. ``--outcomes`` writes a line
of JSON for each question, with what was marked in each hit, to be judged by eye.

A hit is right if its passage contains the core of a gold text, in the file that the gold text
belongs to. passage@1: the first hit is right. passage@5: the five hits together contain every gold
text, or one of the alternatives. marked@1: the marked sentence of the first hit contains a core.
Likely: the library calls an answer likely; doubted: it does not; refused: it says that nothing was
found. The expected calibration error compares the confidence with whether the question has an
answer on the desk, for answerable questions and near misses together, in ten bins. Intervals are
percentile bootstrap, 95 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from desk_questions import Gold, Question, read_questions
from numpy.typing import NDArray

from rag import Answer, Hit, Library, Quote, file_name
from rag.evaluation.metrics import SEED, estimate

BINS = 10
HITS = 5
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question; ``values`` are the metrics that apply to it, in [0, 1].

    ``marked`` has the file name and the marked sentence of each hit, best first.
    """

    question: Question
    confidence: float
    values: dict[str, float]
    marked: tuple[tuple[str, str], ...]


def main() -> None:
    """Index, ask, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("desk", type=Path, metavar="DESK")
    parser.add_argument("library", type=Path, metavar="LIBRARY")
    parser.add_argument("--half", choices="AB")
    parser.add_argument("--model", help="of a new library")
    parser.add_argument("--outcomes", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    files = (arguments.desk / "files").absolute()
    questions = read_questions(arguments.desk, arguments.half)
    with Library.open(arguments.library, model=arguments.model) as library:
        library.index(files, progress=sys.stderr.isatty())
        outcomes = [ask(one, library, files) for one in questions]
        status = library.status()
    if arguments.outcomes:
        lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in outcomes]
        arguments.outcomes.write_text("".join(lines), encoding="utf-8")
    print(f"{status.documents} documents, {status.passages} passages, {len(outcomes)} questions")
    print("\n".join(["", *overall(outcomes), "", *by_kind(outcomes)]))


def ask(question: Question, library: Library, files: Path) -> Outcome:
    """Ask one question, and judge the answer."""
    answer = library.ask(question.question, k=HITS)
    if question.answer != "here":
        values = {
            f"doubted, {question.answer}": float(not answer.answered),
            f"refused, {question.answer}": float(answer.state == "not found"),
        }
    else:
        values = judge(question, answer, library, files)
    marked = tuple((file_name(hit.source), hit.answer.text) for hit in answer.hits)
    return Outcome(question, answer.confidence, values, marked)


def judge(question: Question, answer: Answer, library: Library, files: Path) -> dict[str, float]:
    """The metrics of an answerable question."""
    places = (*question.gold, *question.alternatives)

    def contains(hit: Hit, part: Hit | Quote, gold: Gold) -> bool:
        cores = list(find_cores(gold, hit, library, files))
        return any(part.start <= start and end <= part.end for start, end in cores)

    def found(gold: Gold) -> bool:
        return any(contains(hit, hit, gold) for hit in answer.hits)

    first = answer.hits[:1]
    return {
        "passage@1": any(contains(hit, hit, gold) for hit in first for gold in places),
        f"passage@{HITS}": all(map(found, question.gold)) or any(map(found, question.alternatives)),
        "marked@1": any(contains(hit, hit.answer, gold) for hit in first for gold in places),
        "likely": answer.answered,
        "not refused": answer.state != "not found",
    }


def find_cores(gold: Gold, hit: Hit, library: Library, files: Path) -> Iterator[tuple[int, int]]:
    """Where the core of a gold text stands in the document of a hit, if it is in the right file.

    A message in a mailbox has a source below that of the mailbox.
    """
    file = (files / gold.file).as_posix()
    if any(
        source == file or source.startswith(f"{file}/") for source in (hit.source, *hit.also_in)
    ):
        text = library.document(hit.document_id).text
        at = text.find(gold.text)
        if at >= 0:
            yield at + gold.start, at + gold.end


def overall(outcomes: Sequence[Outcome]) -> list[str]:
    """A table in Markdown of all metrics."""
    lines = ["| metric | value [95 % interval] | questions |", "|---|---|---:|"]
    for name in dict.fromkeys(name for one in outcomes for name in one.values):
        values = [one.values[name] for one in outcomes if name in one.values]
        lines.append(f"| {name} | {with_interval(values)} | {len(values)} |")
    rated = [one for one in outcomes if one.question.answer != "foreign"]
    confidences = np.array([one.confidence for one in rated])
    answerable = np.array([one.question.answer == "here" for one in rated], dtype=float)
    error = calibration_error(confidences, answerable)
    generator = np.random.default_rng(SEED)
    draws = generator.integers(len(rated), size=(RESAMPLES, len(rated)))
    errors = [calibration_error(confidences[draw], answerable[draw]) for draw in draws]
    low, high = np.quantile(errors, [0.025, 0.975])
    name = "expected calibration error"
    return [*lines, f"| {name} | {error:.3f} [{low:.3f}, {high:.3f}] | {len(rated)} |"]


def by_kind(outcomes: Sequence[Outcome]) -> list[str]:
    """A table in Markdown with a line for each kind of question."""
    names = list(dict.fromkeys(name for one in outcomes for name in one.values))
    lines = [f"| kind | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for kind in sorted({one.question.kind for one in outcomes}):
        row = []
        for name in names:
            mine = [one.values for one in outcomes if one.question.kind == kind]
            values = [one[name] for one in mine if name in one]
            row.append(f"{with_interval(values)} of {len(values)}" if values else "")
        lines.append(f"| {kind} | {' | '.join(row)} |")
    return lines


def with_interval(values: Sequence[float]) -> str:
    """The mean of the values with its interval."""
    found = estimate(np.array(values, dtype=float))
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def calibration_error(confidences: NDArray[np.float64], targets: NDArray[np.float64]) -> float:
    """Expected calibration error: the mean gap of confidence and frequency over equal bins.

    Both have the shape (questions,), in [0, 1]; a bin weighs as many questions as it has.
    """
    bins = np.minimum((confidences * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=confidences - targets, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidences))


if __name__ == "__main__":
    main()
