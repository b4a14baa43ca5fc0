"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rag.default import LIBRARY_VARIABLE, default_library
from rag.library import Library
from rag.reranking import Reranker

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DIR",
        envvar=LIBRARY_VARIABLE,
        help="The library's folder. [dim]default: .rag in the current folder[/]",
        show_default=False,
        show_envvar=True,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@contextmanager
def library_at(
    path: Path | None, *, create: bool, reranker: Reranker | None = None
) -> Iterator[Library]:
    """The library that a command was given, or the default one."""
    with Library.open(path or default_library(), create=create, reranker=reranker) as library:
        yield library
