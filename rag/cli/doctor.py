"""``rag doctor``: diagnostics for a bug report."""

from __future__ import annotations

from dataclasses import asdict

import typer

from rag.cli import output
from rag.cli.options import JsonOption, LibraryOption, folder_of
from rag.cli.output import err, escape, out

EXIT_TROUBLE = 4


def doctor_command(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Check the installation and the library, and print what a bug report needs.

    Include all of it in your report: it contains no name of a person, a machine or a document, and
    only the last part of a folder's path. Nothing is changed. Exit code 4: something is wrong; what
    to do is printed beside it.

    Example: rag doctor --library ~/.rag
    """
    from rag.maintenance.doctor import diagnose

    found = diagnose(folder_of(library, "rag doctor"))
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
