"""Paths relative to the application, which a reverse proxy may show below a prefix.

The prefix is ``root_path`` in the ASGI scope, and ``path`` begins with it. It stays percent-encoded
in both, as in a URL, since Gradio builds URLs from it.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.types import Scope


def within(scope: Scope) -> str:
    """The requested path relative to the application: ``/health``, whatever the prefix."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def root(scope: Scope) -> str:
    """The application's own path on the server, with a trailing slash."""
    prefix: str = scope.get("root_path", "")
    return f"{prefix}/"


def asked(scope: Scope) -> str:
    """The requested path and query from the server's root, percent-encoded."""
    query: str = scope["query_string"].decode("latin-1")
    path = root(scope).removesuffix("/") + quote(within(scope))
    return f"{path}?{query}" if query else path
