"""``rag eval``: evaluate retrieval on a labelled set."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rag.cli import output
from rag.cli.output import count, err, escape, out
from rag.cli.progress import is_terminal, show_progress
from rag.errors import InputError
from rag.evaluation.beir import read_beir
from rag.evaluation.failed_queries import write_losses
from rag.evaluation.labelled_sets import LabelledSet
from rag.evaluation.modes import Mode, parse_mode
from rag.evaluation.plot import check_plot, plot
from rag.evaluation.questions import read_questions
from rag.evaluation.report import Opened, evaluate, opened, opened_with_ratings
from rag.evaluation.table import heading, table
from rag.library.default import default_library


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
    feedback: Annotated[
        bool, typer.Option("--feedback", help="In place of a set: what was rated in the library.")
    ] = False,
    mode: Annotated[
        str,
        typer.Option(
            metavar="MODE",
            help="How to rank: dense, late, words, fusion, hybrid or rerank; "
            "settings may follow: hybrid,tokens_weight=0.5",
        ),
    ] = "hybrid",
    compare: Annotated[
        str | None,
        typer.Option(
            metavar="MODE", help="Another mode to compare it with, on the same questions."
        ),
    ] = None,
    rerank: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The cross-encoder of the mode rerank: its folder, or its name on this machine.",
        ),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which file of qrels/. [dim]default: test[/]")
    ] = None,
    questions: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Ask only so many, spread over the set.")
    ] = None,
    losses: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the questions that went wrong, as JSON Lines."),
    ] = None,
    plot_file: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", help="Draw the figures, as .svg or .png."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Measure retrieval quality on a labelled set.

    Example: rag eval questions.csv, or: rag eval scifact/ --library /tmp/scifact --compare words
    """
    modes = [parse_mode(one) for one in (mode, compare) if one]
    _check(modes, rerank)
    if plot_file:
        check_plot(plot_file)
    with (
        _opened(labelled, library, split, feedback=feedback) as (found, filled),
        show_progress("questions") as show,
    ):
        report, judged = evaluate(
            found, filled, modes, rerank=rerank, most=questions, on_progress=show
        )
    if losses:
        lost = write_losses(judged, losses)
        err.print(f"{count(lost, 'question')} went wrong: {escape(str(losses))}", soft_wrap=True)
    if plot_file:
        plot(report, plot_file)
    if as_json:
        output.print_json(report.as_json())
    else:
        out.print(escape(heading(report)), soft_wrap=True)
        out.print(table(report))


def _check(modes: Sequence[Mode], rerank: str | None) -> None:
    if any(mode.reranks for mode in modes) and rerank is None:
        raise InputError("the mode rerank needs a cross-encoder; name one: --rerank MODEL")
    if rerank is not None and not any(mode.reranks for mode in modes):
        raise InputError("--rerank is for the mode rerank; ask for it: --mode rerank")


@contextmanager
def _opened(
    labelled: Path | None, library: str | None, split: str | None, *, feedback: bool
) -> Iterator[tuple[LabelledSet, Opened]]:
    """Open the labelled set and the library to evaluate."""
    if feedback == (labelled is not None):
        raise InputError(
            "name one set of questions: a folder or a file, or --feedback for what was rated"
        )
    if labelled is None:
        if split is not None:
            raise InputError("--split is for folders in the layout of BEIR; leave it out")
        with opened_with_ratings(library or default_library()) as found:
            yield found
    else:
        questions = _read(labelled, split)
        with (
            _place(questions, library) as place,
            opened(questions, place, progress=is_terminal()) as filled,
        ):
            yield questions, filled


def _read(path: Path, split: str | None) -> LabelledSet:
    if path.is_dir():
        return read_beir(path, split)
    if split is not None:
        raise InputError("--split is for folders in the layout of BEIR; leave it out")
    return read_questions(path)


@contextmanager
def _place(labelled: LabelledSet, library: str | None) -> Iterator[str | Path]:
    """The place of the library, existing or new; a temporary one if none was named."""
    if labelled.documents is None:
        yield library or default_library()
    elif library is not None:
        yield library
    else:
        with tempfile.TemporaryDirectory(prefix="rag-eval-") as folder:
            yield Path(folder) / "library"
