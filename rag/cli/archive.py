"""``rag export`` and ``rag import``: a library to and from a single file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import LibraryOption
from rag.cli.output import count, escape, out
from rag.cli.progress import show_progress
from rag.library.default import default_library
from rag.maintenance import backup_export, backup_import, shared_backup
from rag.maintenance.backup_format import ArchiveSummary
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
    place = library or default_library()
    with show_progress("bytes") as show:
        if is_url(place):
            found = shared_backup.export(str(place), file, show, force=force)
        else:
            found = backup_export.export(absolute(place), file, show, force=force)
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
    place = library or default_library()
    with show_progress("bytes") as show:
        if is_url(place):
            found = shared_backup.import_archive(file, str(place), show)
        else:
            place = absolute(place)
            found = backup_import.import_archive(file, place, show)
    out.print(f"{escape(str(place))}: {_describe(found)}", soft_wrap=True)


def _describe(found: ArchiveSummary) -> str:
    return f"{count(found.documents, 'document')}, {found.bytes / 1e6:,.1f} MB"
