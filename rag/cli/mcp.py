"""``rag mcp``: the MCP server over stdio."""

from __future__ import annotations

from rag.cli.options import LibraryOption, library_at


def mcp_command(library: LibraryOption = None) -> None:
    """Serve assistants over the Model Context Protocol, on standard input and output.

    They may search, find and read; nothing changes. Configure an assistant with this command and it
    starts the server itself. A running rag serve offers the same at /mcp.

    Example: rag mcp --library ~/articles/.rag
    """
    with library_at(library, create=False) as opened:
        from ui.mcp.tools import serve_stdio

        serve_stdio(opened)
