"""Who may change something: index, or take documents out."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from ui import guard
from ui.api import problems

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether this server lets anything be changed.

    It does only where it answers this machine alone: whoever may name a folder to index may read
    every file that its owner may.
    """

    given: bool

    def needed(self, request: Request) -> None:
        """Refuse a request that may change nothing, or has a body that is not JSON.

        Raises
        ------
        Refused
            If it comes from another page, if this server changes nothing, or for its body.
        """
        self.to_send(request)
        kind = request.headers.get("content-type", JSON)
        if kind.partition(";")[0].strip().lower() != JSON:
            raise problems.Refused(problems.NOT_JSON, f"send JSON, with content-type: {JSON}")

    def to_send(self, request: Request) -> None:
        """Refuse a request that may change nothing; what its body is doesn't matter.

        For methods that no page elsewhere may use unasked, whatever the body: browsers ask first.

        Raises
        ------
        Refused
            If it comes from another page, or if this server changes nothing.
        """
        if not guard.is_from_here(request):
            raise problems.Refused(
                problems.NOT_FROM_HERE, "only a page of this server or a program may do that"
            )
        if not self.given:
            raise problems.Refused(
                problems.READ_ONLY,
                "this server answers other machines, too, and changes nothing for them; on its "
                "own machine: rag index, rag remove",
            )
