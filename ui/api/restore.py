"""Reindexing a document, and restoring a removed one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response

from rag import Library
from ui.api import index_jobs, problems, write_access
from ui.api.index_jobs import IndexJob
from ui.jobs import Job, Jobs
from ui.removals import Removals


def routes(library: Library, jobs: Jobs, removals: Removals) -> APIRouter:
    """Create the routes."""
    router = APIRouter(tags=["documents"])
    allowed = [Depends(write_access.require)]
    refused = problems.declared(
        problems.NOT_FROM_HERE, problems.NOT_FOUND, problems.GONE, problems.NOT_JSON
    )

    @router.post(
        "/documents/{document_id}/reindex",
        status_code=202,
        dependencies=allowed,
        responses=refused,
    )
    def reindex_document(document_id: str, asked: Request, response: Response) -> IndexJob:
        """Read a document's file again, even if it hasn't changed.

        What can't be read now stays in the library as it is; the job's report says why.
        """
        return index_jobs.started(_read(library.files(document_id)), asked, response)

    @router.post(
        "/documents/{document_id}/restore",
        status_code=202,
        dependencies=allowed,
        responses=refused,
    )
    def restore_document(document_id: str, asked: Request, response: Response) -> IndexJob:
        """Restore a removed document by reading its file again, with everything in it.

        The last hundred removals are remembered until the server stops.
        """
        files = removals.files(document_id)
        if files is None:
            raise problems.Refused(
                problems.NOT_FOUND, "no such document was removed here, or it was too long ago"
            )
        return index_jobs.started(_read(files), asked, response)

    def _read(files: Sequence[Path]) -> Job:
        present = [file for file in files if file.is_file()]
        if not present:
            raise problems.Refused(
                problems.GONE, "its file no longer exists, so it can't be read again"
            )
        return jobs.start(present, again=True)

    return router
