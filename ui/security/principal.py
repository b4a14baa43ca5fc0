"""Principals and roles. The middleware authenticates once; the scope carries the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from starlette.types import Scope

Role: TypeAlias = Literal["reader", "owner"]
"""``reader`` searches and reads; ``owner`` also indexes, uploads, removes, renames and rates."""

_KEY = "rag.visitor"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A principal: an account's name, or none, and a role."""

    name: str
    role: Role

    @property
    def may_change(self) -> bool:
        """Whether the principal may make changes, or name paths of this machine."""
        return self.role == "owner"


ANYBODY = Visitor("", "reader")
"""The principal of a server without authentication that others can reach."""

AT_THIS_MACHINE = Visitor("", "owner")
"""The principal of a server that only this machine can reach."""


def seen(scope: Scope, visitor: Visitor) -> Scope:
    """Attach a principal to a request."""
    return {**scope, _KEY: visitor}


def of(scope: Scope) -> Visitor:
    """The request's principal; one that bypassed the middleware may change nothing."""
    found = scope.get(_KEY, ANYBODY)
    return found if isinstance(found, Visitor) else ANYBODY
