"""The command ``rag mcp``: the library for assistants."""

from __future__ import annotations

from rag.cli.options import LibraryOption, library_at


def mcp_command(library: LibraryOption = None) -> None:
    """Answer assistants by the Model Context Protocol, on standard input and output.

    They may search, find and read; nothing changes. An assistant starts this itself, once it is
    told the command. A server that runs already has the same at /mcp: rag serve

    Example: rag mcp --library ~/articles/.rag
    """
    with library_at(library, create=False) as opened:
        from ui.mcp.tools import serve_stdio

        serve_stdio(opened)
