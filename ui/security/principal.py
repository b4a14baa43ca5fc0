"""Who asks, and what they may do. The gate finds it out once; the request carries it from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from starlette.types import Scope

Role: TypeAlias = Literal["reader", "owner"]
"""``reader`` asks and reads; ``owner`` also indexes, sends files, removes, renames and rates."""

_KEY = "rag.visitor"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: a name of the access file, or none, and a role."""

    name: str
    role: Role

    @property
    def may_change(self) -> bool:
        """Whether they may do what changes something, or reads a path of this machine."""
        return self.role == "owner"


ANYBODY = Visitor("", "reader")
"""Whoever reaches a server that asks nobody who they are, and that others can reach."""

AT_THIS_MACHINE = Visitor("", "owner")
"""Whoever reaches a server that only this machine can reach."""


def seen(scope: Scope, visitor: Visitor) -> Scope:
    """The same request, with who asks."""
    return {**scope, _KEY: visitor}


def of(scope: Scope) -> Visitor:
    """Who asks; one that came through no gate may change nothing."""
    found = scope.get(_KEY, ANYBODY)
    return found if isinstance(found, Visitor) else ANYBODY
