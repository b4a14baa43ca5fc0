"""Index jobs: start, monitor, cancel."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ui.api import problems, write_access
from ui.api.schemas import Shape
from ui.jobs import Job, Jobs
from ui.uploads import LONGEST_NAME, Uploads

MOST_PATHS = 100
MOST_FILES = 1000


class IndexJobs(Shape):
    """All jobs that are remembered, newest first."""

    jobs: tuple[Job, ...]


def _whole(path: str) -> str:
    with suppress(UnicodeEncodeError):  # no user has such a name
        if "\0" not in path and os.path.isabs(os.path.expanduser(path)):  # noqa: PTH111, PTH117 (words)
            return path
    raise ValueError("a path must be absolute, like /home/ada/articles")


class IndexRequest(BaseModel):
    """What to index, with the options of ``rag index``: ``paths``, ``files``, or both."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        json_schema_extra={"anyOf": [{"required": ["paths"]}, {"required": ["files"]}]},
    )

    paths: Annotated[
        list[Annotated[str, AfterValidator(_whole), Field(min_length=1, max_length=4096)]],
        Field(min_length=1, max_length=MOST_PATHS),
    ] = []
    """Absolute paths of files and folders on the server."""
    files: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]],
        Field(min_length=1, max_length=MOST_FILES),
    ] = []
    """Uploaded files, by the names the upload returned."""
    collection: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Name of the collection to which they belong from now on, by default that of the folder."""
    exclude: Annotated[
        list[Annotated[str, Field(max_length=1000)]], Field(max_length=MOST_PATHS)
    ] = []
    """Patterns to exclude from folders, in ``.gitignore`` syntax."""
    ocr: bool | Annotated[str, Field(pattern=r"^[A-Za-z_]+(\+[A-Za-z_]+)*$")] | None = None
    """Run OCR on pictures and scanned pages, or don't; by default if a program for it is installed.
    In the languages that Tesseract has, in the given ones, or by ``rapidocr``."""
    retry: bool = False
    """Retry files that failed, even if they haven't changed."""
    again: bool = False
    """Read all files again, even if they haven't changed."""
    max_document: int | Annotated[str, Field(max_length=40)] | None = None
    """Memory limit for reading one file, in bytes or as a size like ``1GB``."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.paths or self.files):
            raise ValueError("name paths to index, or uploaded files")
        return self


def routes(jobs: Jobs, uploads: Uploads) -> APIRouter:
    """Create the job routes."""
    router = APIRouter(tags=["index jobs"])
    missing = problems.declared(problems.NOT_FOUND)
    refused = problems.declared(problems.NOT_FROM_HERE)

    @router.post(
        "/jobs",
        status_code=202,
        dependencies=[Depends(write_access.require_json)],
        responses=refused
        | problems.declared(problems.NOT_JSON, problems.TOO_MUCH, problems.TOO_SLOW),
    )
    def start_index_job(request: IndexRequest, asked: Request, response: Response) -> Job:
        """Queue files and folders on the server for indexing."""
        paths = [*map(Path, request.paths), *uploads.find(request.files)]
        options = request.model_dump(exclude={"paths", "files"})
        return started(jobs.start(paths, **options), asked, response)

    @router.get("/jobs")
    def index_jobs() -> IndexJobs:
        """List the queued jobs, the running one and the latest finished ones."""
        return IndexJobs(jobs=jobs.all())

    @router.get("/jobs/{job_id}", responses=missing)
    def index_job(job_id: str) -> Job:
        """Get the progress and outcome of a job."""
        return _found(jobs.get(job_id))

    @router.delete(
        "/jobs/{job_id}",
        status_code=202,
        dependencies=[Depends(write_access.require_json)],
        responses=missing | refused,
    )
    def cancel_index_job(job_id: str) -> Job:
        """Cancel a job within a moment; what it has committed stays."""
        return _found(jobs.cancel(job_id))

    return router


def _found(job: Job | None) -> Job:
    if job is None:
        raise problems.Refused(problems.NOT_FOUND, "there is no such job, or it was too long ago")
    return job


def started(job: Job, asked: Request, response: Response) -> Job:
    """Respond to a request that started a job: its snapshot, and its URL in ``Location``."""
    response.headers["location"] = f"{asked.scope['root_path']}/jobs/{job.id}"
    return job
