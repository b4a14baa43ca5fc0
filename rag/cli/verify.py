"""``rag verify``: check the integrity of a library."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rag.cli import output
from rag.cli.options import JsonOption, LibraryOption, library_at
from rag.cli.output import count, err, escape, out
from rag.cli.progress import show_progress
from rag.errors import LibraryDamaged
from rag.types.reports import Problem, Verification

EXIT_DAMAGED = 5
SHOWN = 50


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
        with library_at(library, create=False) as opened, show_progress("looked at") as show:
            found = opened.verify(repair=repair, on_progress=show)
    except LibraryDamaged as error:  # too badly damaged to be opened
        err.print(f"[red]rag:[/] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(EXIT_DAMAGED) from error
    if as_json:
        output.print_json(asdict(found) | {"sound": found.sound})
    else:
        _print(found)
    if not found.sound:
        raise typer.Exit(EXIT_DAMAGED)


def _print(found: Verification) -> None:
    looked = f"{count(found.documents, 'document')}, {count(found.passages, 'passage')}"
    if not found.problems:
        out.print(f"{looked}: everything is as it was written.")
    for one in found.problems[:SHOWN]:
        err.print(escape(_line(one)), soft_wrap=True)
    if len(found.problems) > SHOWN:
        err.print(f"… and {len(found.problems) - SHOWN:,} more: --json lists all")
    if found.problems:
        repaired = sum(one.repaired for one in found.problems)
        things = count(len(found.problems), "thing")
        out.print(f"{looked}: {things} damaged, {repaired:,} of them repaired.")


def _line(one: Problem) -> str:
    where = f"{one.source or one.document}: " if one.source or one.document else ""
    return f"{where}{one.what}; {'repaired' if one.repaired else one.remedy}"
