"""Authorization of requests that change something: index, upload, remove."""

from __future__ import annotations

from fastapi import Request

from ui.api import problems
from ui.security import policy

JSON = "application/json"


def require_owner(request: Request) -> None:
    """Raise Refused for readers: naming a folder to index means being able to read any file of the
    server's user.
    """
    user = policy.principal_of(request.scope)
    if not user.may_change:
        raise problems.Refused(
            problems.READ_ONLY,
            "with this login you may ask and read, and change nothing; an owner can"
            if user.name
            else "this server answers other machines, too, and changes nothing for them; on its "
            "own machine: rag index, rag remove",
        )


def require_json(request: Request) -> None:
    """Raise Refused for readers, and for a body that is not JSON, which another site's page could
    send without a CORS preflight.
    """
    require_owner(request)
    kind = request.headers.get("content-type", JSON)
    if kind.partition(";")[0].strip().lower() != JSON:
        raise problems.Refused(problems.NOT_JSON, f"send JSON, with content-type: {JSON}")
