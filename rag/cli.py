"""The command ``rag``: arguments in, a call of the library, words out."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from rag import terminal
from rag.default import LIBRARY_VARIABLE, default_library
from rag.errors import InputError, RagError
from rag.library import Library
from rag.terminal import count, err, out
from rag.types import IndexReport, Progress

app = typer.Typer(
    name="rag",
    help="Ask your own documents questions, in plain words.\n\n"
    "Start with: rag index FOLDER, then: rag ask “a question”, or: rag serve",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

LibraryOption = Annotated[
    Path | None,
    typer.Option(
        "--library",
        metavar="DIR",
        envvar=LIBRARY_VARIABLE,
        help="The library's folder. [dim]default: .rag in the current folder[/]",
        show_default=False,
        show_envvar=True,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DATES = ["%Y-%m-%d"]

EXIT_INPUT = 2
EXIT_SOME_FAILED = 3
EXIT_INTERRUPTED = 130
FILES_BETWEEN_LINES = 1000
"""Files between two plain lines of progress, where the output is no terminal."""


@app.command("index")
def index_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files and folders.", show_default=False)
    ],
    library: LibraryOption = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Leave out what matches, as in .gitignore; may be repeated.",
            show_default=False,
        ),
    ] = None,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep following the folders until Ctrl-C.")
    ] = False,
) -> None:
    """Read documents into the library; again, to take in what changed.

    What is unchanged is left as it is, and what vanished from a folder is removed. Interrupt at
    any time: what was done is kept.

    Example: rag index ~/articles --exclude "drafts/"
    """
    with _library(library, create=True) as opened:
        report = _index(opened, paths, exclude or [])
        terminal.print_report(report)
        if watch:
            _follow(opened, paths, exclude or [])
    if report.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


@app.command()
def ask(
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="In plain words.", show_default=False)
    ],
    *,
    k: Annotated[int, typer.Option("-k", "--hits", min=1, help="How many passages.")] = 5,
    library: LibraryOption = None,
    since: Annotated[
        dt.datetime | None,
        typer.Option(formats=DATES, metavar="DATE", help="Documents of that day or later."),
    ] = None,
    until: Annotated[
        dt.datetime | None,
        typer.Option(formats=DATES, metavar="DATE", help="Documents of that day or earlier."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="PATTERN", help="Files like “*.pdf” or “letters/*”.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Documents with this in the title.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="Documents in a language, “en” say.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Documents whose metadata say so; may be repeated.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that answer a question, with the answering sentence marked.

    Example: rag ask "Who led the mission?" -k 3 --since 2024-01-01 --source "*.pdf"
    """
    # The first question loads the model, which takes seconds; silent where nobody watches.
    with _library(library, create=False) as opened, err.status("Searching …"):
        hits = opened.search(
            question,
            k,
            since=since.date() if since else None,
            until=until.date() if until else None,
            source=source,
            title=title,
            language=language,
            where=_pairs(where or []),
        )
        empty = not hits and not opened.status().documents
    if as_json:
        found = [terminal.hit_as_json(hit) for hit in hits]
        terminal.print_json({"question": question, "hits": found})
    elif empty:
        out.print("The library is empty. Put documents into it: rag index PATH")
    elif not hits:
        out.print("No document meets all of these conditions.")
    else:
        for hit in hits:
            terminal.print_hit(hit)


@app.command()
def serve(
    library: LibraryOption = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port.")] = 7860,
) -> None:
    """Serve the page where questions are asked in the browser.

    Example: rag serve --port 8000
    """
    with _library(library, create=False) as opened:
        from ui.server import serve as serve_page

        err.print("Starting …")
        serve_page(
            opened,
            host=host,
            port=port,
            on_ready=lambda address: err.print(f"Ready: {address}  (Ctrl-C stops)"),
        )


@app.command()
def status(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Say what is in the library."""
    with _library(library, create=False) as opened:
        found = opened.status()
    if as_json:
        terminal.print_json(asdict(found) | {"path": str(found.path)})
    else:
        terminal.print_status(found)


@app.command()
def report(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Say what came of every file: pages, passages, language, warnings, failures."""
    with _library(library, create=False) as opened:
        found = opened.report()
    if as_json:
        terminal.print_json([terminal.file_as_json(one) for one in found])
    else:
        terminal.print_files(found)


@app.command()
def remove(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE...", help="Indexed files or folders.", show_default=False),
    ],
    library: LibraryOption = None,
) -> None:
    """Take documents out of the library; the files themselves are left alone.

    Example: rag remove ~/articles/old.txt
    """
    with _library(library, create=False) as opened:
        removed = opened.remove(sources)
    for path in removed:
        out.print(f"removed {escape(path)}", soft_wrap=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; the one place where errors become exit codes."""
    try:
        app(arguments)
    except RagError as error:
        _fail(str(error))
    except BrokenPipeError:
        # The reader went away (rag ask … | head): stop quietly, and keep Python from
        # complaining when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}; check that it can be used")


def _fail(message: str) -> NoReturn:
    err.print(f"[red]rag:[/] {escape(message)}", soft_wrap=True)
    sys.exit(EXIT_INPUT)


@contextmanager
def _library(path: Path | None, *, create: bool) -> Iterator[Library]:
    with Library.open(path or default_library(), create=create) as library:
        yield library


def _index(library: Library, paths: Sequence[Path], exclude: Sequence[str]) -> IndexReport:
    """Index with progress; the first Ctrl-C ends it after the document in hand."""
    from rag.progress import bars

    shown = bars() if sys.stderr.isatty() else nullcontext(_plain_progress)
    try:
        with shown as show, _interruptible(show) as on_progress:
            return library.index(paths, exclude=exclude, progress=on_progress)
    except KeyboardInterrupt:
        held = count(library.status().documents, "document")
        err.print(f"Stopped. {held} in the library; run it again to go on.")
        raise typer.Exit(EXIT_INTERRUPTED) from None


@contextmanager
def _interruptible(show: Callable[[Progress], None]) -> Iterator[Callable[[Progress], None]]:
    """Progress that raises KeyboardInterrupt where it does no harm: between two documents."""
    asked = False
    before = signal.getsignal(signal.SIGINT)

    def ask_to_stop(*_: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)
        err.print("Stopping after the document in hand; Ctrl-C again stops at once.")

    def on_progress(step: Progress) -> None:
        show(step)
        if asked:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, ask_to_stop)
    try:
        yield on_progress
    finally:
        signal.signal(signal.SIGINT, before)


def _follow(library: Library, paths: Sequence[Path], exclude: Sequence[str]) -> None:
    from rag.watching import changes

    err.print("Following; Ctrl-C stops.")
    try:
        for _ in changes(paths, leave_out=library.path):
            found = library.index([path for path in paths if path.exists()], exclude=exclude)
            if found.added or found.updated or found.removed or found.failed:
                terminal.print_report(found)
    except KeyboardInterrupt:
        err.print("Stopped.")


def _plain_progress(step: Progress) -> None:
    if step.files_done and step.files_done % FILES_BETWEEN_LINES == 0:
        err.print(f"{step.files_done:,} of {step.files:,} files, {step.embedded:,} passages")


def _pairs(given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"--where takes NAME=VALUE, like author=Ada, not {one}")
        pairs[name] = value
    return pairs
