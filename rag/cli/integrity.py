"""``rag check``, ``rag verify`` and ``rag doctor``: whether everything is as it should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from rag.cli import output
from rag.cli.options import JsonOption, LibraryOption, library_at
from rag.cli.output import count, err, escape, out, show_progress, visible
from rag.errors import InputError, LibraryDamaged
from rag.library.default import default_library
from rag.runtime.files import absolute, is_url
from rag.types.reports import Findability, LostDocument, Problem, SelfTest, Verification

EXIT_TROUBLE = 4
EXIT_DAMAGED = 5
LOST_SHOWN = 10
PROBLEMS_SHOWN = 50


def check_command(
    library: LibraryOption = None,
    queries: Annotated[
        int, typer.Option(min=1, metavar="N", help="Maximum number of queries.")
    ] = 200,
    *,
    as_json: JsonOption = False,
) -> None:
    """Run the self-test: search for things that are known to be there, and compare with the last
    time.

    Titles, headings and the rarest words of sentences must retrieve the documents they come from.
    Exit code 4: a document that was found last time is not found now.

    Example: rag check --queries 500
    """
    with library_at(library) as opened, show_progress("queries") as show:
        found = opened.check(
            queries, on_progress=lambda done, total: show("searching", done, total)
        )
    if as_json:
        output.print_json(asdict(found))
    elif not found.total.queries:
        out.print("There is nothing to look for yet. Add documents: rag index PATH")
    else:
        _print_self_test(found)
    if found.lost:
        raise typer.Exit(EXIT_TROUBLE)


def _print_self_test(found: SelfTest) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("type")
    for name in ("queries", "recall@10", "before", "MRR", "before"):
        table.add_column(name, justify="right")
    for one in (*found.types, found.total):
        table.add_row(escape(one.type) or "all", f"{one.queries:,}", *_figures(one))
    out.print(table)
    fewer = [one for one in found.missed if one not in found.lost]
    _print_documents("not found", fewer)
    _print_documents("found last time, but not now", found.lost)


def _figures(one: Findability) -> list[str]:
    shown = (True, one.compared, True, one.compared)
    figures = (one.recall, one.recall_before, one.mrr, one.mrr_before)
    return [f"{figure:.3f}" if show else "" for figure, show in zip(figures, shown, strict=True)]


def _print_documents(what: str, documents: Sequence[LostDocument]) -> None:
    if not documents:
        return
    err.print(f"{count(len(documents), 'thing')} {what}:")
    for one in documents[:LOST_SHOWN]:
        title, place = visible(one.title), visible(f"{one.source}: {one.query}")
        err.print(Text.assemble("  ", (title, "bold"), f"  {place}"), soft_wrap=True)
    if len(documents) > LOST_SHOWN:
        err.print(f"  … and {len(documents) - LOST_SHOWN:,} more")


def verify_command(
    library: LibraryOption = None,
    *,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Rebuild what can be rebuilt: indexes, counts and the model's encodings.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the integrity of everything in the library.

    Without --repair nothing is written, and others may index and search meanwhile. A damaged text
    can't be recovered: the file to reindex is named. Exit code 5: something is damaged and was not
    repaired.

    Example: rag verify --repair
    """
    try:
        with library_at(library) as opened, show_progress("looked at") as show:
            found = opened.verify(repair=repair, on_progress=show)
    except LibraryDamaged as error:  # too badly damaged to be opened
        err.print(f"[red]rag:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(EXIT_DAMAGED) from error
    if as_json:
        output.print_json(asdict(found) | {"sound": found.sound})
    else:
        _print_verification(found)
    if not found.sound:
        raise typer.Exit(EXIT_DAMAGED)


def _print_verification(found: Verification) -> None:
    looked = f"{count(found.documents, 'document')}, {count(found.passages, 'passage')}"
    if not found.problems:
        out.print(f"{looked}: everything is as it was written.")
        return
    for one in found.problems[:PROBLEMS_SHOWN]:
        err.print(escape(_line(one)), soft_wrap=True)
    if len(found.problems) > PROBLEMS_SHOWN:
        err.print(f"… and {len(found.problems) - PROBLEMS_SHOWN:,} more: --json lists all")
    repaired = sum(one.repaired for one in found.problems)
    things = count(len(found.problems), "thing")
    out.print(f"{looked}: {things} damaged, {repaired:,} of them repaired.")


def _line(one: Problem) -> str:
    where = f"{one.source or one.document}: " if one.source or one.document else ""
    return f"{where}{one.what}; {'repaired' if one.repaired else one.remedy}"


def doctor_command(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Check the installation and the library, and print what a bug report needs.

    Include all of it in your report: it contains no name of a person, a machine or a document, and
    only the last part of a folder's path. Nothing is changed. Exit code 4: something is wrong; what
    to do is printed beside it.

    Example: rag doctor --library ~/.rag
    """
    from rag.maintenance.doctor import diagnose

    place = library or default_library()
    if is_url(place):
        raise InputError(
            f"rag doctor is for libraries in folders, and {place} is a shared one; name another: "
            "--library DIR"
        )
    found = diagnose(absolute(place))
    if as_json:
        output.print_json({name: [asdict(one) for one in all_] for name, all_ in found.items()})
    else:
        for name, findings in found.items():
            out.print(f"[bold]{name}[/]")
            for one in findings:
                out.print(f"  {one.name:<24} {escape(one.value)}", soft_wrap=True)
    troubles = [one for findings in found.values() for one in findings if one.trouble]
    for one in troubles:
        err.print(f"[red]{escape(one.name)}:[/] {escape(one.trouble)}", soft_wrap=True)
    if troubles:
        raise typer.Exit(EXIT_TROUBLE)
