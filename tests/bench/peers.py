"""rag beside others, with the same model on the same questions: the tables in RESULTS.md.

::

    make peers DATA=folder

or, in two environments, so that no version of the peers meets one of ours::

    python tests/bench/peers/collect.py DATA --cache DIR    # requirements.txt lies beside it
    python tests/bench/peers.py DATA --cache DIR [--libraries DIR] [--sets squad_dev …]

The first writes down what the peers find; this judges it with the code of ``rag eval``, asks rag
the same questions, and prints a table for each set. ``--libraries DIR`` keeps rag's libraries; one
that ``rag eval`` made is taken over without the model. Everyone gets the texts alone: titles of
documents, and the filters of questions, are for rag's own figures (``quality.py``).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from quality import circumstances, differences

from rag import Document, Explanation, Hit, Quote, Span
from rag.evaluation.beir import read_beir
from rag.evaluation.corpus import Corpus
from rag.evaluation.labelled_sets import GoldSpan, LabelledSet, spread
from rag.evaluation.relevance import Judged, judge, passage
from rag.evaluation.report import evaluate, metrics_of, open_library
from rag.evaluation.spans import SpanJudge, TextRange

SETS = ("squad_dev", "chroma_chunking", "scifact", "squad_articles")
FIVE = 5
READ = 1_000
"""Characters of hits that a hurried reader reads."""

WITHIN = f"answer in {READ:,} characters"
SHOWN = "characters of 5 hits"
COLUMNS = {
    "MRR@10": "answer MRR@10",
    "in first hit": "answer in first hit",
    f"in first {READ:,} characters": WITHIN,
    "all in five hits": "all answers in 5 hits",
    "text recall@5": "text recall@5",
    "precision@5": "text precision@5",
    "IoU@5": "text IoU@5",
    "documents nDCG@10": "document nDCG@10",
    "characters of five hits": SHOWN,
}


@dataclass(frozen=True, slots=True)
class Row:
    """A system with its judged questions; ``setup`` says what it does, and with what."""

    name: str
    setup: str
    judged: Sequence[Judged]


class ChunkJudge(SpanJudge):
    """Judges the chunks of a peer, whose offsets are in the set's own texts."""

    def locate(self, hit: Hit, part: Quote) -> TextRange:
        """Locate a part of a chunk."""
        return self.gold(GoldSpan(hit.document_id, Span(part.start, part.end), part.text))


def main() -> None:
    """Judge the peers, ask rag, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR")
    parser.add_argument("--libraries", type=Path, metavar="DIR", help="where to keep libraries")
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--questions", type=int, help="only so many of each, spread over the set")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory())
        libraries = arguments.libraries or Path(temporary)
        setups: dict[str, str] = {}
        for name in arguments.sets:
            labelled = texts_alone(read_beir(arguments.data / name), arguments.questions)
            rows = [ours(labelled, libraries / name), *theirs(labelled, arguments.cache / name)]
            setups |= {row.name: row.setup for row in rows[1:]}
            print(f"\n`{name}`, {len(labelled.questions):,} questions\n\n{as_markdown(rows)}")
    print()
    for name, setup in setups.items():
        print(f"- {name}: {setup}")
    print(f"\n{circumstances()}")


def texts_alone(labelled: LabelledSet, most: int | None) -> LabelledSet:
    """The set as the peers get it: no titles, no conditions; at most so many of its questions."""
    return replace(
        labelled,
        questions=tuple(replace(one, where={}) for one in spread(labelled.questions, most)),
        documents=tuple(replace(one, title="") for one in labelled.documents or ()),
    )


def ours(labelled: LabelledSet, library: Path) -> Row:
    """What rag finds, with default settings."""
    with open_library(labelled, library, progress=sys.stderr.isatty()) as ready:
        assert isinstance(ready.judge, SpanJudge)
        judged = [lengths(one, ready.judge) for one in evaluate(labelled.questions, ready)]
        return Row("**rag**", f"rag {version('rag')}", judged)


def theirs(labelled: LabelledSet, folder: Path) -> list[Row]:
    """What the peers found, as it was written down; the best first."""
    assert labelled.documents is not None
    documents = {one.id: one for one in labelled.documents}
    by = ChunkJudge(Corpus(documents, {name: name for name in documents}), unread)
    rows = []
    for file in sorted(folder.glob("*.json")):
        written = json.loads(file.read_text())
        made, answers = written["made with"], written["answers"]
        versions = ", ".join(f"{package} {number}" for package, number in made["versions"].items())
        judged = []
        for one in labelled.questions:
            found = answers[one.id]
            hits = [
                in_text(rank, name, Span(start, end), documents[name].text)
                for rank, (name, start, end) in enumerate(found["hits"], 1)
            ]
            judged.append(lengths(judge(one, hits, found["documents"], by), by))
        rows.append(Row(made["name"], f"{made['setup']} ({versions})", judged))
    if not rows:
        sys.exit(f"{folder} has nothing of the peers; run tests/bench/peers/collect.py first")
    return sorted(rows, key=lambda row: -_mean(row, main_measure(row)))


def unread(name: str) -> Document:
    """No document is read again: offsets of peers are in the texts of the set."""
    raise LookupError(f"document {name} belongs to no library")


def in_text(rank: int, document: str, span: Span, text: str) -> Hit:
    """A chunk of a peer as a hit: only its place and its text are known."""
    shown = span.of(text)
    return Hit(
        rank=rank,
        score=0.0,
        text=shown,
        title="",
        source=document,
        date=None,
        page=None,
        headings=(),
        document_id=document,
        passage_id=f"{document} {span.start}",
        start=span.start,
        end=span.end,
        answer=Quote(shown, span.start, span.end),
        why=Explanation(0.0, 0.0, 0.0, None, None, ()),
    )


def lengths(judged: Judged, by: SpanJudge) -> Judged:
    """The same with what long hits hide: how much is shown, and what stands at its beginning.

    A question scores ``WITHIN`` if a gold span ends within the first ``READ`` characters of its
    hits, read one after the other from the best.
    """
    question, hits = judged.question, judged.hits
    if not question.spans:
        return judged
    gold = [by.gold(span) for span in question.spans]
    left, within = READ, False
    for hit in hits:
        read = by.locate(hit, replace(passage(hit), end=min(hit.end, hit.start + left)))
        within = within or any(read.contains(span) for span in gold)
        left -= hit.end - hit.start
        if left <= 0:
            break
    shown = sum(hit.end - hit.start for hit in hits[:FIVE])
    return replace(judged, values={**judged.values, WITHIN: float(within), SHOWN: float(shown)})


def main_measure(row: Row) -> str:
    """What a set is mostly about: spans, or documents where it has no spans."""
    spans = COLUMNS["MRR@10"]
    return spans if spans in row.judged[0].values else COLUMNS["documents nDCG@10"]


def as_markdown(rows: Sequence[Row]) -> str:
    """A row for each system, a column for each measure that the set has labels for.

    Behind ± stands half the width of the 95 % interval; the last column is how far the first
    row is above this one in the main measure, with the interval of the differences.
    """
    figures = [metrics_of(row.judged) for row in rows]
    columns = {head: name for head, name in COLUMNS.items() if name in figures[0]}
    main = main_measure(rows[0])
    lines = [
        " | ".join(["| ", *columns, "rag is ahead by |"]),
        " | ".join(["|---", *["---:"] * len(columns), "---: |"]),
    ]
    for row, estimates in zip(rows, figures, strict=True):
        cells = [f"| {row.name}"]
        for name in columns.values():
            one = estimates[name]
            digits = 0 if name == SHOWN else 3
            half = (one.high - one.low) / 2
            cells.append(f"{one.mean:,.{digits}f} ± {half:,.{digits}f}".replace("± 0.", "± ."))
        ahead = differences(rows[0].judged, row.judged)[main]
        cells.append(f"{ahead.mean:+.3f} [{ahead.low:+.3f}, {ahead.high:+.3f}] |")
        lines.append(" | ".join(cells))
    return "\n".join(lines)


def _mean(row: Row, name: str) -> float:
    return sum(one.values[name] for one in row.judged) / len(row.judged)


if __name__ == "__main__":
    main()
