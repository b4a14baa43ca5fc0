"""``rag eval``: evaluate retrieval on a labelled set."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from rag.cli import output
from rag.cli.options import JsonOption, RerankOption
from rag.cli.output import count, err, escape, out, show_progress
from rag.errors import InputError
from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import LabelledSet, read_questions, spread
from rag.evaluation.report import Report, evaluate, open_library, report, write_failures
from rag.library.default import default_library
from rag.models.cross_encoder import CrossEncoderReranker


def eval_command(
    labelled: Annotated[
        Path | None,
        typer.Argument(
            metavar="SET",
            help="A folder in the layout of BEIR, or a CSV or JSONL file of your own questions.",
        ),
    ] = None,
    library: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Your questions: the library to ask. A folder: where to keep the library of its "
            "documents, to be used again. [dim]default: one that is thrown away[/]",
        ),
    ] = None,
    *,
    ratings: Annotated[
        bool,
        typer.Option("--ratings", help="Instead of a set: the hits rated good in the library."),
    ] = False,
    rerank: RerankOption = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which file of qrels/. [dim]default: test[/]")
    ] = None,
    questions: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Ask only N questions, spread over the set."),
    ] = None,
    failures: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the questions that failed, as JSON Lines."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure retrieval quality on a labelled set.

    Example: rag eval questions.csv, or: rag eval scifact/ --library /tmp/scifact
    """
    if ratings == (labelled is not None):
        raise InputError(
            "name one set of questions: a folder or a file, or --ratings for what was rated"
        )
    found = _read(labelled, split)
    reranker = CrossEncoderReranker(rerank) if rerank is not None else None
    with (
        _place(found, library) as place,
        open_library(found, place, progress=sys.stderr.isatty(), reranker=reranker) as opened,
        show_progress("questions") as show,
    ):
        asked = spread(opened.labelled.questions, questions)
        judged = []
        for one in evaluate(asked, opened):
            judged.append(one)
            show(opened.labelled.name, len(judged), len(asked))
        result = report(opened, judged)
    if failures:
        failed = write_failures(judged, failures)
        err.print(f"{count(failed, 'question')} failed: {escape(str(failures))}", soft_wrap=True)
    if as_json:
        output.print_json(asdict(result))
    else:
        out.print(escape(_heading(result)), soft_wrap=True)
        out.print(_table(result))


def _read(path: Path | None, split: str | None) -> LabelledSet | None:
    """Read a labelled set; None for ratings, which are in the library."""
    if path is not None and path.is_dir():
        return read_beir(path, split)
    if split is not None:
        raise InputError("--split is for folders in the layout of BEIR; leave it out")
    return read_questions(path) if path is not None else None


@contextmanager
def _place(labelled: LabelledSet | None, library: str | None) -> Iterator[str | Path]:
    """The place of the library; a temporary one for a set with documents if none was named."""
    if library is not None:
        yield library
    elif labelled is None or labelled.documents is None:
        yield default_library()
    else:
        with tempfile.TemporaryDirectory(prefix="rag-eval-") as folder:
            yield Path(folder) / "library"


def _heading(result: Report) -> str:
    """What was measured, in one line."""
    left_out = f", {result.unlabelled:,} without a label left out" if result.unlabelled else ""
    return (
        f"{result.set}: {result.questions:,} questions{left_out}, {result.documents:,} documents, "
        f"{result.passages:,} passages, {result.model}; median search: {result.seconds * 1000:.0f} "
        "ms"
    )


def _table(result: Report) -> Table:
    """One row per metric, with its confidence interval and the number of questions."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("measure", no_wrap=True)
    for name in ("mean", "95 %", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, one in result.metrics.items():
        interval = f"{one.low:.3f} … {one.high:.3f}"
        table.add_row(name, f"{one.mean:.4f}", interval, f"{one.questions:,}")
    return table
