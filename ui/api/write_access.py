"""Authorization of requests that change something: index, upload, remove."""

from __future__ import annotations

from fastapi import Request

from ui.api import problems
from ui.security import origin, principal

JSON = "application/json"


def require(request: Request) -> None:
    """Require write access, and a JSON body if there is one.

    Raises
    ------
    Refused
        If the request comes from another site or from a reader, or its body is not JSON.
    """
    require_for_upload(request)
    kind = request.headers.get("content-type", JSON)
    if kind.partition(";")[0].strip().lower() != JSON:
        raise problems.Refused(problems.NOT_JSON, f"send JSON, with content-type: {JSON}")


def require_for_upload(request: Request) -> None:
    """Require write access, whatever the type of the body.

    For methods that browsers never send cross-origin without a CORS preflight. Only owners may
    write: naming a folder to index means being able to read any file of the server's user.

    Raises
    ------
    Refused
        If the request comes from another site, or from a reader.
    """
    if not origin.is_from_here(request.scope):
        raise problems.Refused(
            problems.NOT_FROM_HERE, "only a page of this server or a program may do that"
        )
    user = principal.of(request.scope)
    if not user.may_change:
        raise problems.Refused(
            problems.READ_ONLY,
            "with this login you may ask and read, and change nothing; an owner can"
            if user.name
            else "this server answers other machines, too, and changes nothing for them; on its "
            "own machine: rag index, rag remove",
        )
