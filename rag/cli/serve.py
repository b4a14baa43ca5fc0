"""``rag serve``: the web server, over one library or several."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from rag.cli.options import LibraryOption, library_at
from rag.cli.output import err
from rag.cli.signals import expect_sigterm
from rag.errors import InputError
from rag.library.shelf import Shelf

_log = logging.getLogger(__name__)

FOLDER_VARIABLE = "RAG_LIBRARIES"
AUTH_VARIABLE = "RAG_AUTH"


def serve_command(
    library: LibraryOption = None,
    libraries: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar=FOLDER_VARIABLE,
            help="A folder of libraries: serve them all, and let new ones be made.",
            show_default=False,
            show_envvar=True,
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port.")] = 7860,
    auth: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar=AUTH_VARIABLE,
            help="Require a login; rag password creates the file.",
            show_default=False,
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
            metavar="NAME",
            help="A host name to answer to, like docs.example.org; may be repeated.",
            show_default=False,
        ),
    ] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="The address of a reverse proxy whose X-Forwarded headers are trusted.",
            show_default=False,
        ),
    ] = None,
    root_path: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="The path at which the proxy serves the page, like /docs-search.",
            show_default=False,
        ),
    ] = "",
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Log everything, including health checks and static files."),
    ] = False,
    log_questions: Annotated[
        bool,
        typer.Option("--log-questions", help="Log questions; by default, none is stored."),
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
    from ui.libraries import application
    from ui.ops import logs
    from ui.security import access, accounts

    if library is not None and libraries is not None:
        raise InputError(
            "--library serves one library and --libraries a folder of them; give one of the two "
            "(RAG_LIBRARY and RAG_LIBRARIES count, too)"
        )
    expect_sigterm()
    logs.to_standard_error(verbose=verbose, questions=log_questions)
    allowed = access.decided(
        host,
        accounts=accounts.read(auth) if auth is not None else None,
        insecure=insecure,
        names=allow_host or (),
        proxy=behind_proxy,
        root=root_path,
    )
    if libraries is not None:
        application.serve(Shelf(libraries), host, port, _ready, _starting, access=allowed)
    else:
        with library_at(library, create=allowed.may_be_changed) as opened:
            server.serve(opened, host, port, _ready, _starting, access=allowed)


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
