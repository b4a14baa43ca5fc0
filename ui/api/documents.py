"""Documents: the list, one of them, its text, its passages, removing it, and what came of files."""

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
    """A document as it stands in a list."""

    id: str
    title: str
    source: Source
    """The name of its file."""
    date: dt.date | None
    date_from: str | None
    """``document``, ``file`` or ``file time``: where the date is from."""
    passages: int
    """How many it has."""
    language: str | None
    """A code, ``en`` say."""
    pages: int
    """How many it has; 0 where the format has none."""
    warnings: tuple[str, ...]
    """What of it was read with doubts."""


class Documents(Shape):
    """A page of documents."""

    total: int
    """How many meet the conditions."""
    offset: int
    documents: tuple[DocumentSummary, ...]


class Heading(Shape):
    """A line of the text that names what follows it; level 1 is the outermost."""

    text: str
    level: int
    start: int
    """Where it begins, in characters of the text."""


class Document(Shape):
    """A document without its text."""

    id: str
    title: str
    sources: tuple[Source, ...]
    """The names of the files that hold it."""
    date: dt.date | None
    metadata: dict[str, str]
    """What the file says of itself, and ``date_from``."""
    characters: int
    """The length of its text."""
    pages: int
    """How many it has; 0 where the format has none."""
    headings: tuple[Heading, ...]
    warnings: tuple[str, ...]
    """What of the file could not be read, or not as its name promised."""
    present: bool
    """Whether its file, or one that it lies inside of, is there to be read again."""


class Page(Shape):
    """A page on which a passage stands."""

    number: int
    label: str | None
    """What is printed on it."""
    start: int
    """Where it begins, in characters of the document's text."""


class Passage(Shape):
    """A run of whole sentences; offsets are characters of its document's text."""

    id: str
    document_id: str
    text: str
    start: int
    end: int
    headings: tuple[str, ...]
    """The headings above it, outermost first."""
    pages: tuple[Page, ...]


class PassageInPlace(Shape):
    """A passage, its document, and where they are asked for, its neighbours."""

    title: str
    source: Source
    date: dt.date | None
    passage: Passage
    before: Passage | None
    """The passage before it in the document."""
    after: Passage | None
    """The one after it."""


class Failure(Shape):
    """What was not read, and why."""

    source: Source
    reason: str


class FileReport(Shape):
    """What came of one file."""

    source: Source
    status: Literal["indexed", "partly", "failed"]
    documents: int
    """More than one for a file that holds several; 0 for one that could not be read."""
    pages: int
    pages_with_text: int
    characters: int
    passages: int
    languages: tuple[str, ...]
    warnings: tuple[str, ...]
    failures: tuple[Failure, ...]
    seconds: float
    """That reading it took."""


class Report(Shape):
    """What came of files, a page of them."""

    total: int
    offset: int
    files: tuple[FileReport, ...]


class Removed(Shape):
    """What was taken out of the library; the files themselves are left alone."""

    sources: tuple[Source, ...]


class Listed(Filters):
    """Which documents to list, and how."""

    sort: Literal["newest", "oldest", "title", "source", "language", "pages", "passages"] = "newest"
    """By date, with those that have only the date of a file last; by title, path or language; or
    by how many pages or passages they have, the most first."""
    offset: Offset = 0
    """How many documents come before the page."""
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100
    """How many it has at most."""


class Stretch(BaseModel):
    """A part of a text, in characters."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    start: Annotated[int, Field(ge=0, le=1_000 * FURTHEST)] = 0
    end: Annotated[int | None, Field(ge=0, le=1_000 * FURTHEST), OPTIONAL] = None
    """Excluded; by default the end of the text."""


class Rows(BaseModel):
    """A page of what came of files."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    status: Annotated[Literal["indexed", "partly", "failed"] | None, OPTIONAL] = None
    """Only files of which this came."""
    offset: Offset = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100


def routes(library: Library, jobs: Jobs, removals: Removals) -> APIRouter:
    """What a library holds."""
    router = APIRouter(tags=["documents"])
    missing = problems.declared(problems.NOT_FOUND)

    @router.get("/documents")
    def documents(listed: Annotated[Listed, Query()]) -> Documents:
        """List the documents, a page at a time."""
        conditions = listed.conditions
        found = library.documents(
            listed.limit, offset=listed.offset, order=listed.sort, **conditions
        )
        return Documents(
            total=library.count_documents(**conditions),
            offset=listed.offset,
            documents=tuple(DocumentSummary.model_validate(one) for one in found),
        )

    @router.get("/documents/{document_id}", responses=missing)
    def document(document_id: str) -> Document:
        """What is known of a document, without its text."""
        present = any(file.is_file() for file in library.files(document_id))
        return _described(library.document(document_id), library.sources(document_id), present)

    @router.get(
        "/documents/{document_id}/text",
        response_class=PlainTextResponse,
        responses=missing,
    )
    def document_text(document_id: str, stretch: Annotated[Stretch, Query()]) -> str:
        """The text that was read from a document's file, or a part of it."""
        return library.document(document_id).text[stretch.start : stretch.end]

    @router.delete(
        "/documents/{document_id}",
        dependencies=[Depends(write_access.needed)],
        responses=missing | problems.declared(problems.NOT_FROM_HERE, problems.INDEXING),
    )
    def remove_document(document_id: str) -> Removed:
        """Take a document out of the library, and what lies in its file; files stay as they are.

        It can be restored. The next index run over its folder takes its file in again, too; what
        lies in an archive stays out until that changes, or is read again.
        """
        sources, files = library.sources(document_id), library.files(document_id)
        if not jobs.is_idle:
            raise problems.Refused(
                problems.INDEXING, "index jobs wait or run; cancel them, or try again afterwards"
            )
        removed = library.remove(sources)
        removals.remember(document_id, files)
        return Removed(sources=tuple(removed))

    @router.get("/passages/{passage_id}", responses=missing)
    def passage(passage_id: str, *, neighbours: bool = False) -> PassageInPlace:
        """A passage, and with ``neighbours`` the one before it and the one after."""
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
        """What came of every file that was read: pages, passages, language, warnings, failures."""
        found = [one for one in library.report() if rows.status in {None, one.status}]
        page = found[rows.offset : rows.offset + rows.limit]
        return Report(
            total=len(found),
            offset=rows.offset,
            files=tuple(FileReport.model_validate(one) for one in page),
        )

    return router


def _described(document: rag.Document, sources: list[str], present: bool) -> Document:  # noqa: FBT001
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
