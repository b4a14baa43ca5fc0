"""``rag status``, ``rag restore``, ``rag report`` and ``rag remove``: the content of a library."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from rag.cli import output
from rag.cli.options import JsonOption, LibraryOption, library_at
from rag.cli.output import count, escape, out
from rag.errors import InputError


def status_command(
    library: LibraryOption = None,
    *,
    versions: Annotated[
        bool,
        typer.Option(
            "--versions", help="Also list the versions of a shared library, for rag restore."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what is in the library."""
    with library_at(library, create=False) as opened:
        found = opened.status()
        recorded = opened.versions() if versions else ()
    if as_json:
        more = {"versions": [asdict(one) for one in recorded]} if versions else {}
        output.print_json(asdict(found) | {"path": str(found.path)} | more)
    else:
        output.print_status(found)
        for one in recorded:
            when = one.time.astimezone().isoformat(sep=" ", timespec="seconds")
            held = f"{count(one.documents, 'document')}, {count(one.passages, 'passage')}"
            out.print(f"version {one.number}  {when}  {held}")


def restore_command(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="The version's number.")],
    library: LibraryOption = None,
) -> None:
    """Roll a shared library back to the end of an earlier run.

    rag status --versions lists the versions. Everything newer is gone from the library; the version
    before this command can be restored in turn. Nobody may write meanwhile.

    Example: rag restore 7 --library s3://bucket/articles
    """
    with library_at(library, create=False) as opened:
        opened.restore(version)
        documents = opened.status().documents
    out.print(f"The library is as it was in version {version}: {count(documents, 'document')}.")


def report_command(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Show the outcome of every file: pages, passages, language, warnings, failures."""
    with library_at(library, create=False) as opened:
        found = opened.report()
    if as_json:
        output.print_json([output.file_as_json(one) for one in found])
    else:
        output.print_files(found)


def remove_command(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE...", help="Indexed files or folders.")
    ] = None,
    library: LibraryOption = None,
    *,
    within: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="NAME",
            help="A collection, but for documents that another one has too; may be repeated.",
        ),
    ] = None,
) -> None:
    """Remove documents from the library; the files themselves are left alone.

    Example: rag remove ~/articles/old.txt
    """
    if not (sources or within):
        raise InputError("name what to remove: rag remove SOURCE, or rag remove --in NAME")
    with library_at(library, create=False) as opened:
        removed = opened.remove(sources or (), collections=within or ())
    for path in removed:
        out.print(f"removed {escape(path)}", soft_wrap=True)
