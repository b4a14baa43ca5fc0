"""``rag status``, ``rag restore``, ``rag report`` and ``rag remove``: the content of a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from rag.cli import output
from rag.cli.options import CollectionsOption, JsonOption, LibraryOption, library_at
from rag.cli.output import count, escape, out
from rag.errors import InputError
from rag.library.library import Library


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
    with library_at(library) as opened:
        found, backend = opened.status(), opened.backend
        recorded = opened.versions() if versions else ()
    if as_json:
        more = {"versions": [asdict(one) for one in recorded]} if versions else {}
        output.print_json(asdict(found) | {"path": str(found.path), "backend": backend} | more)
    else:
        output.print_status(found, backend)
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
    with library_at(library) as opened:
        opened.restore(version)
        documents = opened.status().documents
    out.print(f"The library is as it was in version {version}: {count(documents, 'document')}.")


def report_command(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Show the outcome of every file: pages, passages, language, warnings, failures."""
    with library_at(library) as opened:
        found = opened.report()
    if as_json:
        output.print_json([asdict(one) for one in found])
    else:
        output.print_files(found)


def remove_command(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE...", help="Indexed files or folders.")
    ] = None,
    library: LibraryOption = None,
    *,
    within: CollectionsOption = None,
) -> None:
    """Remove documents from the library; the files themselves are left alone.

    Documents of a collection that are also in another one are kept.

    Example: rag remove ~/articles/old.txt
    """
    if not (sources or within):
        raise InputError("name what to remove: rag remove SOURCE, or rag remove --in NAME")
    with library_at(library) as opened:
        chosen = _documents_in(opened, within or ())
        removed = opened.remove(sources or (), collections=within or ())
        others = opened.collections() if chosen else ()
        kept = {one.name: chosen & _documents_in(opened, [one.name]) for one in others}
    for path in removed:
        out.print(f"removed {escape(path)}", soft_wrap=True)
    if ids := set().union(*kept.values()):
        names = ", ".join(f"“{name}”" for name, found in kept.items() if found)
        out.print(f"kept {count(len(ids), 'document')}, also in {escape(names)}", soft_wrap=True)


def _documents_in(library: Library, collections: Sequence[str]) -> set[str]:
    if not collections:
        return set()
    return {one.id for one in library.documents(collections=collections)}
