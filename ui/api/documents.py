"""Documents: list, metadata, text, passages, removal, and the report on indexed files."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

import rag
from rag import Library
from ui.api import problems, write_access
from ui.api.schemas import FURTHEST, OPTIONAL, Filters, Offset, Shape, Source
from ui.jobs import Jobs
from ui.removals import Removals

MOST_ROWS = 1000


class DocumentSummary(Shape):
    """A document in a list."""

    id: str
    title: str
    source: Source
    """The file's name."""
    date: dt.date | None
    date_from: str | None
    """Where the date comes from: ``document``, ``file`` or ``file time``."""
    passages: int
    """Number of passages."""
    language: str | None
    """Language code, such as ``en``."""
    pages: int
    """Number of pages; 0 if the format has none."""
    warnings: tuple[str, ...]
    """What may have been read incorrectly."""


class Documents(Shape):
    """A page of documents."""

    total: int
    """Number of documents that match the filters."""
    offset: int
    documents: tuple[DocumentSummary, ...]


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
    sources: tuple[Source, ...]
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


class Page(Shape):
    """A page on which the passage appears."""

    number: int
    label: str | None
    """The printed page number."""
    start: int
    """Offset in the document's text, in characters."""


class Passage(Shape):
    """A passage of whole sentences; offsets are characters of its document's text."""

    id: str
    document_id: str
    text: str
    start: int
    end: int
    headings: tuple[str, ...]
    """The headings above it, outermost first."""
    pages: tuple[Page, ...]


class PassageInPlace(Shape):
    """A passage, its document and, on request, its neighbours."""

    title: str
    source: Source
    date: dt.date | None
    passage: Passage
    before: Passage | None
    """The preceding passage in the document."""
    after: Passage | None
    """The following passage."""


class Failure(Shape):
    """A file that could not be read, and why."""

    source: Source
    reason: str
    kind: Literal["unreadable", "unsupported", "password"]
    """Nothing reads files of an ``unsupported`` type; ``password`` is for files that one opens."""


class FileReport(Shape):
    """The outcome of indexing one file."""

    source: Source
    status: Literal["indexed", "partly", "failed"]
    documents: int
    """More than one for a file that contains several; 0 if it could not be read."""
    pages: int
    pages_with_text: int
    characters: int
    passages: int
    languages: tuple[str, ...]
    warnings: tuple[str, ...]
    failures: tuple[Failure, ...]
    seconds: float
    """Time taken to read it."""


class Report(Shape):
    """A page of the report on indexed files."""

    total: int
    offset: int
    files: tuple[FileReport, ...]


class Removed(Shape):
    """What was removed from the library; the files themselves are left alone."""

    sources: tuple[Source, ...]


class Listed(Filters):
    """Filters, sort order and page of a document list."""

    sort: Literal["newest", "oldest", "title", "source", "language", "pages", "passages"] = "newest"
    """By date, undated documents (those with only a file time) last; by title, path or language; or
    by number of pages or passages, largest first.
    """
    offset: Offset = 0
    """Documents to skip."""
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100
    """Page size."""


class Stretch(BaseModel):
    """A range of a text, in characters."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    start: Annotated[int, Field(ge=0, le=1_000 * FURTHEST)] = 0
    end: Annotated[int | None, Field(ge=0, le=1_000 * FURTHEST), OPTIONAL] = None
    """Exclusive; by default the end of the text."""


class Rows(BaseModel):
    """A page of the report on indexed files."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    status: Annotated[Literal["indexed", "partly", "failed"] | None, OPTIONAL] = None
    """Only files with this outcome."""
    offset: Offset = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100


def routes(library: Library, jobs: Jobs, removals: Removals) -> APIRouter:
    """Create the routes for what a library holds."""
    router = APIRouter(tags=["documents"])
    missing = problems.declared(problems.NOT_FOUND)

    @router.get("/documents")
    def documents(listed: Annotated[Listed, Query()]) -> Documents:
        """List documents, a page at a time."""
        limits = listed.filter
        found = library.documents(listed.limit, limits, offset=listed.offset, order=listed.sort)
        return Documents(
            total=library.count_documents(limits),
            offset=listed.offset,
            documents=tuple(DocumentSummary.model_validate(one) for one in found),
        )

    @router.get("/collections")
    def collections() -> Collections:
        """List the collections, with counts."""
        return Collections(
            collections=tuple(Collection.model_validate(one) for one in library.collections())
        )

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

    @router.delete(
        "/documents/{document_id}",
        dependencies=[Depends(write_access.require)],
        responses=missing | problems.declared(problems.NOT_FROM_HERE, problems.INDEXING),
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
        removed = library.remove(sources)
        removals.remember(document_id, files)
        return Removed(sources=tuple(removed))

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
            passage=Passage.model_validate(found),
            before=Passage.model_validate(before) if before else None,
            after=Passage.model_validate(after) if after else None,
        )

    @router.get("/report")
    def report(rows: Annotated[Rows, Query()]) -> Report:
        """List the outcome of every file: pages, passages, language, warnings, failures."""
        found = [one for one in library.report() if rows.status in {None, one.status}]
        page = found[rows.offset : rows.offset + rows.limit]
        return Report(
            total=len(found),
            offset=rows.offset,
            files=tuple(FileReport.model_validate(one) for one in page),
        )

    return router


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
