"""The commands ``rag status``, ``rag report`` and ``rag remove``: what is in a library."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rag import terminal
from rag.commands.options import JsonOption, LibraryOption, library_at
from rag.terminal import escape, out


def status_command(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Say what is in the library."""
    with library_at(library, create=False) as opened:
        found = opened.status()
    if as_json:
        terminal.print_json(asdict(found) | {"path": str(found.path)})
    else:
        terminal.print_status(found)


def report_command(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Say what came of every file: pages, passages, language, warnings, failures."""
    with library_at(library, create=False) as opened:
        found = opened.report()
    if as_json:
        terminal.print_json([terminal.file_as_json(one) for one in found])
    else:
        terminal.print_files(found)


def remove_command(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE...", help="Indexed files or folders.", show_default=False),
    ],
    library: LibraryOption = None,
) -> None:
    """Take documents out of the library; the files themselves are left alone.

    Example: rag remove ~/articles/old.txt
    """
    with library_at(library, create=False) as opened:
        removed = opened.remove(sources)
    for path in removed:
        out.print(f"removed {escape(path)}", soft_wrap=True)
