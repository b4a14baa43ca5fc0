"""File upload: files are sent to the server to be indexed there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from rag import Library
from ui import uploads as sending
from ui.api import problems, write_access
from ui.uploads import StoredFile, TooLarge, Uploads

ANY_BYTES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
GIBIBYTE = 1024**3


HERE_BEFORE: dict[int | str, dict[str, Any]] = {
    200: {"model": StoredFile, "description": "The file was already here"}
}


def routes(library: Library, uploads: Uploads) -> APIRouter:
    """Create the upload route."""
    router = APIRouter(tags=["files"])

    @router.put(
        "/files/{name:path}",
        status_code=201,
        dependencies=[Depends(write_access.require_owner)],
        openapi_extra=ANY_BYTES,
        responses=HERE_BEFORE
        | problems.declared(
            problems.NOT_FROM_HERE,
            problems.NOT_FOUND,  # a name with a line break doesn't match the route
            problems.TOO_LARGE,
            problems.NOT_KEPT,
        ),
    )
    async def send_file(name: str, request: Request, response: Response) -> StoredFile:
        """Upload a file, byte for byte, into the library's own folder.

        It is not indexed yet: start a job with its name among ``files``.
        """
        # Otherwise a folder that vanished would be created again, without its library.
        await run_in_threadpool(library.ensure_available)
        kept = await _store(request, sending.safe_name(name), uploads)
        response.status_code = 201 if kept.new else 200
        return kept

    return router


async def _store(request: Request, name: str, uploads: Uploads) -> StoredFile:
    announced = request.headers.get("content-length", "")
    too_large = problems.Refused(
        problems.TOO_LARGE,
        f"a file may have up to {uploads.most / GIBIBYTE:g} GiB; index a larger one by its path",
    )
    if announced.isdecimal() and int(announced) > uploads.most:
        raise too_large
    try:
        # Not in a thread: the draft is then deleted however the request ends.
        with uploads.draft() as draft:
            async for piece in _pieces(request):
                await run_in_threadpool(draft.write, piece)
            return await run_in_threadpool(draft.keep, name)
    except TooLarge as error:
        raise too_large from error
    except ClientDisconnect as error:  # the client left; avoids a traceback
        raise problems.Refused(problems.INVALID, "the upload is incomplete") from error
    except OSError as error:
        raise problems.Refused(
            problems.NOT_KEPT, f"the file can't be written on this machine: {error.strerror}"
        ) from error


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        if piece:  # the last chunk is empty
            yield piece
