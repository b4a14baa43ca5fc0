"""Principals and roles. The middleware authenticates once; the scope carries the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from starlette.types import Scope

Role: TypeAlias = Literal["reader", "owner"]
"""``reader`` searches and reads; ``owner`` also indexes, uploads, removes, renames and rates."""

_KEY = "rag.principal"


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal: an account's name, or none, and a role."""

    name: str
    role: Role

    @property
    def may_change(self) -> bool:
        """Whether the principal may make changes, or name paths of this machine."""
        return self.role == "owner"


ANYBODY = Principal("", "reader")
"""The principal of a server without authentication that others can reach."""

LOCAL_OWNER = Principal("", "owner")
"""The principal of a server that only this machine can reach."""


def attach(scope: Scope, principal: Principal) -> Scope:
    """Attach a principal to a request."""
    return {**scope, _KEY: principal}


def of(scope: Scope) -> Principal:
    """The request's principal; one that bypassed the middleware may change nothing."""
    found = scope.get(_KEY, ANYBODY)
    return found if isinstance(found, Principal) else ANYBODY
