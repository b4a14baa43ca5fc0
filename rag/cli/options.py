"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rag.errors import InputError
from rag.library.default import LIBRARY_VARIABLE, default_library
from rag.library.library import Library
from rag.models.cross_encoder import Reranker
from rag.runtime.files import absolute, is_url

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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


@contextmanager
def library_at(
    path: str | Path | None, *, create: bool, reranker: Reranker | None = None
) -> Iterator[Library]:
    """Open the library that was given, or the default one."""
    with Library.open(path or default_library(), create=create, reranker=reranker) as library:
        yield library


def folder_of(library: str | None, command: str) -> Path:
    """The folder of the library that was given, or of the default one.

    Raises
    ------
    InputError
        If it is a shared library, which the command does not support.
    """
    place = library or default_library()
    if is_url(place):
        raise InputError(
            f"{command} is for libraries in folders, and {place} is a shared one; name another: "
            "--library DIR"
        )
    return absolute(place)
