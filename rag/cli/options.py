"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.library.default import LIBRARY_VARIABLE, default_library
from rag.library.library import Library
from rag.models.cross_encoder import Reranker

LibraryOption = Annotated[
    str | None,
    typer.Option(
        "--library",
        metavar="DIR",
        envvar=LIBRARY_VARIABLE,
        help="The library's folder, or the URL of a shared one, like s3://bucket/name."
        " [dim]default: .rag in the current folder[/]",
        show_envvar=True,
    ),
]
RerankOption = Annotated[
    str | None,
    typer.Option(
        metavar="MODEL",
        help="A cross-encoder to rerank the best passages: its folder, or its name here.",
    ),
]
CollectionsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--in",
        metavar="NAME",
        help="Documents of a collection; may be repeated. rag status lists them.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def library_at(
    path: str | Path | None, *, create: bool = False, reranker: Reranker | None = None
) -> Library:
    """Open the library that was given, or the default one."""
    return Library.open(path or default_library(), create=create, reranker=reranker)
