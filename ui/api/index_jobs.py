"""Index jobs: start one, watch it, cancel it."""

from __future__ import annotations

import datetime as dt
import os
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ui.api import problems, write_access
from ui.api.documents import Failure
from ui.api.schemas import Shape, Source
from ui.jobs import Job, Jobs, Phase, State
from ui.uploads import LONGEST_NAME, Uploads

MOST_PATHS = 100
MOST_FILES = 1000


class Progress(Shape):
    """How far a job is."""

    files_done: int
    files: int
    passages: int
    """That were read so far."""
    embedded: int
    """Those of them that went through the model."""
    reused: int
    """Those that had been through it before."""
    source: Source
    """The name of the file in hand."""
    stage: str
    """What the job is at."""
    done: int
    """How far the stage is: files found; bytes of the file in hand; its pages or the like."""
    total: int
    """Of how many; 0 where that is not known."""
    seconds: float
    """Since the job began to run."""


class IndexReport(Shape):
    """What a job did, counted by files and documents."""

    added: int
    updated: int
    unchanged: int
    removed: int
    failed: int
    skipped: int
    failures: tuple[Failure, ...]
    """The first thousand files that could not be read, each with its reason."""
    embedded: int
    """Passages that went through the model."""
    reused: int
    seconds: float


class IndexJob(Shape):
    """An index job as it stands now."""

    id: str
    names: tuple[Source, ...]
    """The names of the files and folders that it was given."""
    state: State
    phase: Phase | None
    """What a running job is at."""
    cancelling: bool
    """Whether it was told to stop; that takes a moment."""
    asked: dt.datetime
    began: dt.datetime | None
    ended: dt.datetime | None
    progress: Progress | None
    report: IndexReport | None
    """What it did, once it is done."""
    trouble: str
    """Why it failed."""


class IndexJobs(Shape):
    """Every job that is remembered, the newest first."""

    jobs: tuple[IndexJob, ...]


def _whole(path: str) -> str:
    if "\0" in path or not os.path.isabs(os.path.expanduser(path)):  # noqa: PTH111, PTH117 (words)
        raise ValueError("a path begins at the root, like /home/ada/articles")
    return path


class IndexRequest(BaseModel):
    """What to index, as ``rag index`` takes it: ``paths``, ``files``, or both."""

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
    """Files and folders on the server's machine, from the root."""
    files: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]],
        Field(min_length=1, max_length=MOST_FILES),
    ] = []
    """Files that were sent here, by the names that they got."""
    exclude: Annotated[
        list[Annotated[str, Field(max_length=1000)]], Field(max_length=MOST_PATHS)
    ] = []
    """Patterns, as in a ``.gitignore``, for what to leave out of the folders."""
    ocr: bool | Annotated[str, Field(pattern=r"^[A-Za-z_]+(\+[A-Za-z_]+)*$")] = False
    """Read scanned pages, too: in English, or in languages as tesseract names them."""
    retry: bool = False
    """Read files again that failed, though they did not change."""
    again: bool = False
    """Read every file again, though it did not change."""
    max_document: int | Annotated[str, Field(max_length=40)] | None = None
    """The memory that reading one file may take, in bytes or like ``1GB``."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.paths or self.files):
            raise ValueError("name paths to index, or files that were sent")
        return self


def routes(jobs: Jobs, uploads: Uploads) -> APIRouter:
    """The index jobs of this server."""
    router = APIRouter(tags=["index jobs"])
    missing = problems.declared(problems.NOT_FOUND)
    refused = problems.declared(problems.NOT_FROM_HERE)

    @router.post(
        "/jobs",
        status_code=202,
        dependencies=[Depends(write_access.needed)],
        responses=refused | problems.declared(problems.NOT_JSON),
    )
    def start_index_job(request: IndexRequest, asked: Request, response: Response) -> IndexJob:
        """Have files and folders of the server's machine indexed, after the jobs before it."""
        job = jobs.start(
            [*request.paths, *uploads.find(request.files)],
            exclude=request.exclude,
            ocr=request.ocr,
            retry=request.retry,
            again=request.again,
            max_document=request.max_document,
        )
        return started(job, asked, response)

    @router.get("/jobs")
    def index_jobs() -> IndexJobs:
        """The jobs that wait, the one that runs, and the latest that are over."""
        return IndexJobs(jobs=tuple(map(told, jobs.all())))

    @router.get("/jobs/{job_id}", responses=missing)
    def index_job(job_id: str) -> IndexJob:
        """How far a job is, and what came of it."""
        return told(_found(jobs.get(job_id)))

    @router.delete(
        "/jobs/{job_id}",
        status_code=202,
        dependencies=[Depends(write_access.needed)],
        responses=missing | refused,
    )
    def cancel_index_job(job_id: str) -> IndexJob:
        """Stop a job within a moment; what it has done stays."""
        return told(_found(jobs.cancel(job_id)))

    return router


def _found(job: Job | None) -> Job:
    if job is None:
        raise problems.Refused(problems.NOT_FOUND, "there is no such job, or it was long ago")
    return job


def started(job: Job, asked: Request, response: Response) -> IndexJob:
    """What is answered where a job was asked for, with the address to watch it at."""
    response.headers["location"] = f"{asked.scope['root_path']}/jobs/{job.id}"
    return told(job)


def told(job: Job) -> IndexJob:
    """A job as the API tells it: no path of this machine, and a thousand failures at most."""
    return IndexJob(
        id=job.id,
        names=job.paths,
        state=job.state,
        phase=job.phase,
        cancelling=job.cancelling,
        asked=job.asked,
        began=job.began,
        ended=job.ended,
        progress=Progress.model_validate(job.progress) if job.progress else None,
        report=IndexReport.model_validate(job.report) if job.report else None,
        trouble=job.trouble,
    )
