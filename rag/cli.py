"""The command ``rag``: arguments in, a call of the library, words out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from rag.default import LIBRARY_VARIABLE, default_library
from rag.errors import RagError
from rag.library import Library
from rag.types import Hit, IndexReport, Progress

if TYPE_CHECKING:
    from rag.types import Failure

app = typer.Typer(
    name="rag",
    help="Ask your own documents questions, in plain words.\n\n"
    "Start with: rag index FOLDER, then: rag ask “a question”, or: rag serve",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

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

EXIT_INPUT = 2
EXIT_SOME_FAILED = 3
EXIT_INTERRUPTED = 130
FAILURES_SHOWN = 10
STEP_BETWEEN_LINES = 1000
"""Files between two plain lines of progress, where the output is no terminal."""


@app.command("index")
def index_command(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Files and folders.", show_default=False)
    ],
    library: LibraryOption = None,
) -> None:
    """Read documents into the library; again, to take in what changed.

    Reads .txt, .md and .html. What is unchanged is left as it is, and what vanished from a
    folder is removed. Interrupt at any time: what was done is kept.

    Example: rag index ~/articles
    """
    with _library(library, create=True) as opened:
        progress = True if sys.stderr.isatty() else _plain_progress
        try:
            report = opened.index(paths, progress=progress)
        except KeyboardInterrupt:
            held = opened.status().documents
            err.print(f"Stopped. {_count(held, 'document')} in the library; run it again to go on.")
            raise typer.Exit(EXIT_INTERRUPTED) from None
    _print_report(report)
    if report.failed:
        raise typer.Exit(EXIT_SOME_FAILED)


@app.command()
def ask(
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="In plain words.", show_default=False)
    ],
    k: Annotated[int, typer.Option("-k", "--hits", min=1, help="How many passages.")] = 5,
    library: LibraryOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Find the passages that answer a question, with the answering sentence marked.

    Example: rag ask "Who led the mission?" -k 3
    """
    # The first question loads the model, which takes seconds; silent where nobody watches.
    with _library(library, create=False) as opened, err.status("Searching …"):
        hits = opened.search(question, k)
    if as_json:
        _print_json({"question": question, "hits": [_hit_as_json(hit) for hit in hits]})
        return
    if not hits:
        out.print("The library is empty. Put documents into it: rag index PATH")
    for hit in hits:
        _print_hit(hit)


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
        _print_json(asdict(found) | {"path": str(found.path)})
        return
    out.print(f"[bold]{escape(str(found.path))}[/]")
    out.print(f"documents   {found.documents:,}")
    out.print(f"passages    {found.passages:,}")
    out.print(f"sentences   {found.sentences:,}")
    out.print(f"model       {found.model}")
    out.print(f"generation  {found.generation:,}")
    out.print(f"size        {found.bytes / 1e6:,.1f} MB")


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


def _plain_progress(step: Progress) -> None:
    if step.files_done and step.files_done % STEP_BETWEEN_LINES == 0:
        err.print(f"{step.files_done:,} of {step.files:,} files, {step.embedded:,} passages")


def _print_report(report: IndexReport) -> None:
    counted = {
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": report.failed,
        "skipped": report.skipped,
    }
    words = [f"{len(found):,} {name}" for name, found in counted.items() if found]
    summary = ", ".join(words) or "nothing to read there"
    passages = _count(report.embedded, "passage")
    out.print(f"{summary} · {passages} embedded in {report.seconds:.1f} s")
    _print_failures("failed", report.failed)
    _print_failures("skipped", report.skipped)


def _print_failures(what: str, failures: Sequence[Failure]) -> None:
    for failure in failures[:FAILURES_SHOWN]:
        err.print(f"{what} {escape(failure.source)}: {escape(failure.reason)}", soft_wrap=True)
    if len(failures) > FAILURES_SHOWN:
        err.print(f"… and {len(failures) - FAILURES_SHOWN:,} more {what}")


def _print_hit(hit: Hit) -> None:
    place = [Path(hit.source).name]
    if hit.page:
        place.append(f"page {hit.page}")
    if hit.date:
        place.append(hit.date.isoformat())
    out.print(Text.assemble((f"{hit.rank}. ", "dim"), (hit.title, "bold")))
    out.print(Text(f"   {' · '.join(place)} · score {hit.score:.2f}", "dim"))
    text = Text(hit.text)
    text.stylize("bold green", hit.answer.start - hit.start, hit.answer.end - hit.start)
    out.print(Padding(text, (0, 0, 1, 3)))


def _hit_as_json(hit: Hit) -> dict[str, object]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "text": hit.text,
        "title": hit.title,
        "source": hit.source,
        "date": hit.date.isoformat() if hit.date else None,
        "page": hit.page,
        "headings": list(hit.headings),
        "document_id": hit.document_id,
        "passage_id": hit.passage_id,
        "start": hit.start,
        "end": hit.end,
        "answer": asdict(hit.answer),
        "why": asdict(hit.why),
        "also_in": list(hit.also_in),
    }


def _print_json(value: object) -> None:
    # Not through rich, which would wrap and colour it.
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
