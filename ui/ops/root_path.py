"""Where an application lies below the address of its server: several may share one.

The prefix is ``root_path`` of the ASGI scope, and begins ``path``. In both it stays
percent-encoded, as in an address, since Gradio makes addresses of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from starlette.types import Scope


def within(scope: Scope) -> str:
    """The path that is asked for, seen from the application: ``/health``, whatever leads there."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def root(scope: Scope) -> str:
    """The path of the application itself, from the server's; ends in a slash."""
    prefix: str = scope.get("root_path", "")
    return f"{prefix}/"


def asked(scope: Scope) -> str:
    """The address that was asked for, from the server's root: path and query, percent-encoded."""
    query: str = scope["query_string"].decode("latin-1")
    path = root(scope).removesuffix("/") + quote(within(scope))
    return f"{path}?{query}" if query else path
