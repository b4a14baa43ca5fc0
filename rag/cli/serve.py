"""``rag serve`` and ``rag mcp``: a library for browsers and programs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import LibraryOption, library_at
from rag.cli.output import err
from rag.cli.signals import expect_sigterm

_log = logging.getLogger(__name__)

AUTH_VARIABLE = "RAG_AUTH"


def serve_command(
    library: LibraryOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port.")] = 7860,
    auth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar=AUTH_VARIABLE,
            help="Require a login; rag password creates the file.",
            show_envvar=True,
        ),
    ] = None,
    *,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let anybody ask, but nobody change anything.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A host name to answer to, like docs.example.org; may be repeated."
        ),
    ] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="The address of a reverse proxy whose X-Forwarded headers are trusted.",
        ),
    ] = None,
    root_path: Annotated[
        str,
        typer.Option(
            metavar="PATH", help="The path at which the proxy serves the page, like /docs-search."
        ),
    ] = "",
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Log everything, including health checks and static files."),
    ] = False,
    log_questions: Annotated[
        bool, typer.Option("--log-questions", help="Log questions; by default, none is stored.")
    ] = False,
) -> None:
    """Serve the search page.

    A new library is created if there is none: documents can be added in the browser.

    Only this machine can reach the server. For others, make an access file and name an address:
    rag password people.json ada --owner, then
    rag serve --host 0.0.0.0 --auth people.json

    Passwords are sent unencrypted unless a reverse proxy with TLS is in front:
    rag serve --behind-proxy 127.0.0.1 --allow-host docs.example.org --auth people.json

    The log goes to standard error: warnings and errors on a terminal, elsewhere each request as a
    line of JSON. Ctrl-C and SIGTERM shut the server down within three seconds: running requests are
    answered if that takes only a moment, and what was indexed stays.

    Example: rag serve --port 8000
    """
    from ui import server
    from ui.ops import logs
    from ui.security import accounts, policy

    expect_sigterm()
    logs.to_standard_error(verbose=verbose, questions=log_questions)
    allowed = policy.decide(
        host,
        accounts=accounts.load(auth) if auth is not None else None,
        insecure=insecure,
        names=allow_host or (),
        proxy=behind_proxy,
        root=root_path,
    )
    with library_at(library, create=allowed.may_be_changed) as opened:
        server.serve(opened, host, port, _ready, _starting, access=allowed)


def mcp_command(library: LibraryOption = None) -> None:
    """Serve assistants over the Model Context Protocol, on standard input and output.

    They may search, find and read; nothing changes. Configure an assistant with this command and it
    starts the server itself. A running rag serve offers the same at /mcp.

    Example: rag mcp --library ~/articles/.rag
    """
    from ui.mcp.tools import serve_stdio

    with library_at(library) as opened:
        serve_stdio(opened)


def _starting(address: str) -> None:
    _say(f"Starting: {address}", " …", address)


def _ready(address: str) -> None:
    _say(f"Ready: {address}", "  (Ctrl-C stops)", address)


def _say(line: str, more: str, address: str) -> None:
    """Print a line on a terminal, or log it."""
    if err.is_terminal:
        err.print(line + more)
    else:
        _log.info(line, extra={"address": address})
