"""Documents: list, metadata, text, passages, removal and restoring, and the report on files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse
from pydantic import Field

import rag
from rag import Library, SourcePath
from ui.api import index_jobs, problems, write_access
from ui.api.schemas import FURTHEST, OPTIONAL, Filters, Offset, Parameters, Shape, Sort
from ui.jobs import Job, Jobs
from ui.security.rate_limit import Recent

MOST_ROWS = 1000
REMOVALS_KEPT = 100
"""Removals that are remembered, with the files of the documents."""


class Documents(Shape):
    """A page of documents."""

    total: int
    """Number of documents that match the filters."""
    offset: int
    documents: tuple[rag.DocumentSummary, ...]


class Collection(Shape):
    """A named part of the library; a document may be in several."""

    name: str
    documents: int
    """Number of documents."""


class Collections(Shape):
    """All collections, by name."""

    collections: tuple[Collection, ...]


class Heading(Shape):
    """A heading in the text; level 1 is the outermost."""

    text: str
    level: int
    start: int
    """Offset in the text, in characters."""


class Document(Shape):
    """A document without its text."""

    id: str
    title: str
    sources: tuple[SourcePath, ...]
    """Names of the files that contain it."""
    date: dt.date | None
    metadata: dict[str, str]
    """The file's own metadata, and ``date_from``."""
    characters: int
    """Length of the text."""
    pages: int
    """Number of pages; 0 if the format has none."""
    headings: tuple[Heading, ...]
    warnings: tuple[str, ...]
    """What could not be read, or not as the file's extension suggested."""
    present: bool
    """Whether its file, or the archive that contains it, still exists and can be read again."""


class PassageInPlace(Shape):
    """A passage, its document and, on request, its neighbours."""

    title: str
    source: SourcePath
    date: dt.date | None
    passage: rag.Passage
    before: rag.Passage | None
    """The preceding passage in the document."""
    after: rag.Passage | None
    """The following passage."""


class Report(Shape):
    """A page of the report on indexed files."""

    total: int
    offset: int
    files: tuple[rag.FileReport, ...]


class Removed(Shape):
    """What was removed from the library; the files themselves are left alone."""

    sources: tuple[SourcePath, ...]


class Listed(Filters):
    """Filters, sort order and page of a document list."""

    sort: Sort = "newest"
    """By date, undated documents (those with only a file time) last; by title, path or language; or
    by number of pages or passages, largest first.
    """
    offset: Offset = 0
    """Documents to skip."""
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100
    """Page size."""


class Stretch(Parameters):
    """A range of a text, in characters."""

    start: Annotated[int, Field(ge=0, le=1_000 * FURTHEST)] = 0
    end: Annotated[int | None, Field(ge=0, le=1_000 * FURTHEST), OPTIONAL] = None
    """Exclusive; by default the end of the text."""


class Rows(Parameters):
    """A page of the report on indexed files."""

    status: Annotated[Literal["indexed", "partly", "failed", "skipped"] | None, OPTIONAL] = None
    """Only files with this outcome."""
    offset: Offset = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100


def routes(library: Library, jobs: Jobs) -> APIRouter:
    """Create the routes for what a library holds."""
    router = APIRouter(tags=["documents"])
    _add_changes(router, library, jobs)
    missing = problems.declared(problems.NOT_FOUND)

    @router.get("/documents")
    def documents(listed: Annotated[Listed, Query()]) -> Documents:
        """List documents, a page at a time."""
        limits = listed.filter
        found = library.documents(listed.limit, limits, offset=listed.offset, order=listed.sort)
        return Documents(
            total=library.count_documents(limits),
            offset=listed.offset,
            documents=tuple(found),
        )

    @router.get("/collections")
    def collections() -> Collections:
        """List the collections, with counts."""
        return Collections.model_validate({"collections": library.collections()})

    @router.get("/documents/{document_id}", responses=missing)
    def document(document_id: str) -> Document:
        """Get a document's metadata, without its text."""
        present = any(file.is_file() for file in library.files(document_id))
        return _describe(library.document(document_id), library.sources(document_id), present)

    @router.get(
        "/documents/{document_id}/text",
        response_class=PlainTextResponse,
        responses=missing,
    )
    def document_text(document_id: str, stretch: Annotated[Stretch, Query()]) -> str:
        """Get a document's extracted text, or a range of it."""
        return library.document(document_id).text[stretch.start : stretch.end]

    @router.get("/passages/{passage_id}", responses=missing)
    def passage(passage_id: str, *, neighbours: bool = False) -> PassageInPlace:
        """Get a passage and, with ``neighbours``, the ones before and after it."""
        found = library.passage(passage_id)
        before, after = library.around(found) if neighbours else (None, None)
        of = library.document(found.document_id)
        return PassageInPlace(
            title=of.title,
            source=of.source,
            date=of.date,
            passage=found,
            before=before,
            after=after,
        )

    @router.get("/report")
    def report(rows: Annotated[Rows, Query()]) -> Report:
        """List the outcome of every file: pages, passages, language, warnings, failures."""
        return Report(
            total=library.count_files(rows.status),
            offset=rows.offset,
            files=tuple(library.report(rows.status, offset=rows.offset, limit=rows.limit)),
        )

    return router


def _add_changes(router: APIRouter, library: Library, jobs: Jobs) -> None:
    """Add the routes that remove a document, restore it, or read it again."""
    removed: Recent[str, tuple[Path, ...]] = Recent(REMOVALS_KEPT)
    allowed = [Depends(write_access.require_json)]
    unreadable = problems.declared(
        problems.NOT_FROM_HERE, problems.NOT_FOUND, problems.GONE, problems.NOT_JSON
    )

    @router.delete(
        "/documents/{document_id}",
        dependencies=allowed,
        responses=problems.declared(problems.NOT_FOUND, problems.NOT_FROM_HERE, problems.INDEXING),
    )
    def remove_document(document_id: str) -> Removed:
        """Remove a document from the library, and all others from the same file; the file is left
        alone.

        It can be restored. The next index run over its folder also takes the file in again; a file
        inside an archive stays out until the archive changes or is reindexed.
        """
        sources, files = library.sources(document_id), library.files(document_id)
        if not jobs.is_idle:
            raise problems.Refused(
                problems.INDEXING, "index jobs are pending; cancel them, or try again afterwards"
            )
        gone = library.remove(sources)
        removed[document_id] = tuple(files)
        return Removed(sources=tuple(gone))

    @router.post(
        "/documents/{document_id}/reindex",
        status_code=202,
        dependencies=allowed,
        responses=unreadable,
    )
    def reindex_document(document_id: str, asked: Request, response: Response) -> Job:
        """Read a document's file again, even if it hasn't changed.

        What can't be read now stays in the library as it is; the job's report says why.
        """
        return index_jobs.started(_read(library.files(document_id)), asked, response)

    @router.post(
        "/documents/{document_id}/restore",
        status_code=202,
        dependencies=allowed,
        responses=unreadable,
    )
    def restore_document(document_id: str, asked: Request, response: Response) -> Job:
        """Restore a removed document by reading its file again, with everything in it.

        The last hundred removals are remembered until the server stops.
        """
        files = removed.get(document_id)
        if files is None:
            raise problems.Refused(
                problems.NOT_FOUND, "no such document was removed here, or it was too long ago"
            )
        return index_jobs.started(_read(files), asked, response)

    def _read(files: Iterable[Path]) -> Job:
        present = [file for file in files if file.is_file()]
        if not present:
            raise problems.Refused(
                problems.GONE, "its file no longer exists, so it can't be read again"
            )
        return jobs.start(present, again=True)


def _describe(document: rag.Document, sources: list[str], present: bool) -> Document:  # noqa: FBT001
    return Document(
        id=document.id,
        title=document.title,
        sources=tuple(sources),
        date=document.date,
        metadata=dict(document.metadata),
        characters=len(document.text),
        pages=len(document.pages),
        headings=tuple(
            Heading(text=one.span.of(document.text), level=one.level, start=one.span.start)
            for one in document.headings
        ),
        warnings=document.warnings,
        present=present,
    )
