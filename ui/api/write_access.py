"""Who may change something: index, send files, or take documents out."""

from __future__ import annotations

from fastapi import Request

from ui.api import problems
from ui.security import origin, principal

JSON = "application/json"


def needed(request: Request) -> None:
    """Refuse a request that may change nothing, or has a body that is not JSON.

    Raises
    ------
    Refused
        If it comes from another page, from somebody who may only read, or for its body.
    """
    to_send(request)
    kind = request.headers.get("content-type", JSON)
    if kind.partition(";")[0].strip().lower() != JSON:
        raise problems.Refused(problems.NOT_JSON, f"send JSON, with content-type: {JSON}")


def to_send(request: Request) -> None:
    """Refuse a request that may change nothing; what its body is doesn't matter.

    For methods that no page elsewhere may use unasked, whatever the body: browsers ask first.
    Whoever may name a folder to index may read every file that the server's owner may, so only
    owners may.

    Raises
    ------
    Refused
        If it comes from another page, or from somebody who may only read.
    """
    if not origin.is_from_here(request.scope):
        raise problems.Refused(
            problems.NOT_FROM_HERE, "only a page of this server or a program may do that"
        )
    visitor = principal.of(request.scope)
    if not visitor.may_change:
        raise problems.Refused(
            problems.READ_ONLY,
            "with this login you may ask and read, and change nothing; an owner can"
            if visitor.name
            else "this server answers other machines, too, and changes nothing for them; on its "
            "own machine: rag index, rag remove",
        )
