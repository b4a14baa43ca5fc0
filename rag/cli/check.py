"""``rag check``: the self-test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from rag.cli import output
from rag.cli.options import JsonOption, LibraryOption, library_at
from rag.cli.output import count, err, out, visible
from rag.cli.progress import show_progress
from rag.types.reports import Findability, LostDocument, SelfTest

EXIT_LOST = 4
SHOWN = 10


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
    with library_at(library, create=False) as opened, show_progress("queries") as show:
        found = opened.check(
            queries, on_progress=lambda done, total: show("searching", done, total)
        )
    if as_json:
        output.print_json(asdict(found))
    elif not found.total.queries:
        out.print("There is nothing to look for yet. Add documents: rag index PATH")
    else:
        _print(found)
    if found.lost:
        raise typer.Exit(EXIT_LOST)


def _print(found: SelfTest) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("type")
    for name in ("queries", "recall@10", "before", "MRR", "before"):
        table.add_column(name, justify="right")
    for one in (*found.types, found.total):
        table.add_row(one.type or "all", f"{one.queries:,}", *_figures(one))
    out.print(table)
    fewer = [one for one in found.missed if one not in found.lost]
    _print_documents("not found", fewer)
    _print_documents("found last time, but not now", found.lost)


def _figures(one: Findability) -> tuple[str, str, str, str]:
    if not one.compared:
        return f"{one.recall:.3f}", "", f"{one.mrr:.3f}", ""
    return (
        f"{one.recall:.3f}",
        f"{one.recall_before:.3f}",
        f"{one.mrr:.3f}",
        f"{one.mrr_before:.3f}",
    )


def _print_documents(what: str, documents: Sequence[LostDocument]) -> None:
    if not documents:
        return
    err.print(f"{count(len(documents), 'thing')} {what}:")
    for one in documents[:SHOWN]:
        line = Text.assemble("  ", (one.title, "bold"), f"  {visible(one.source)}: {one.query}")
        err.print(line, soft_wrap=True)
    if len(documents) > SHOWN:
        err.print(f"  … and {len(documents) - SHOWN:,} more")
