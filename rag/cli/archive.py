"""``rag export`` and ``rag import``: a library to and from a single file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import LibraryOption
from rag.cli.output import count, escape, out, show_progress
from rag.library.default import default_library
from rag.maintenance import backup
from rag.maintenance.backup import ArchiveSummary
from rag.runtime.files import absolute, is_url


def export_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write.")],
    library: LibraryOption = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE if it exists.")] = False,
) -> None:
    """Write the library to a single file, as a backup or to move it elsewhere.

    It is a consistent snapshot, even while others search, index and serve. Every part has a
    checksum. The file is complete or not there at all. rag import restores a library from it: in a
    folder or in object storage, whichever it came from.

    Example: rag export articles.rag.zip
    """
    place = _place(library)
    with show_progress("bytes") as show:
        found = backup.export(place, file, show, force=force)
    out.print(f"{escape(str(file))}: {_describe(found)}", soft_wrap=True)


def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An archive made by rag export.")],
    library: LibraryOption = None,
) -> None:
    """Restore a library from an archive, in a folder that is new or empty, or at a URL.

    Everything is validated before the folder gets its name: an archive may come from anybody. The
    search indexes are rebuilt from the documents.

    Example: rag import articles.rag.zip --library ~/articles/.rag
    """
    place = _place(library)
    with show_progress("bytes") as show:
        found = backup.import_archive(file, place, show)
    out.print(f"{escape(str(place))}: {_describe(found)}", soft_wrap=True)


def _place(library: Path | str | None) -> Path | str:
    """The library's absolute folder, or its URL."""
    place = library or default_library()
    return place if is_url(place) else absolute(place)


def _describe(found: ArchiveSummary) -> str:
    return f"{count(found.documents, 'document')}, {found.bytes / 1e6:,.1f} MB"
