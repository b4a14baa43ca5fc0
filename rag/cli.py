"""The command ``rag``: arguments in, a call of the library, words out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from rag import airgap, terminal
from rag.commands import airgap as airgap_option
from rag.commands.access import password_command
from rag.commands.archive import export_command, import_command
from rag.commands.ask import ask_command
from rag.commands.cache import cache_command
from rag.commands.check import check_command
from rag.commands.evaluate import eval_command
from rag.commands.index import index_command
from rag.commands.mcp import mcp_command
from rag.commands.options import JsonOption, LibraryOption, library_at
from rag.commands.serve import serve_command
from rag.commands.tune import tune_command
from rag.commands.verify import verify_command
from rag.errors import RagError
from rag.terminal import err, out

app = typer.Typer(
    name="rag",
    help="Ask your own documents questions, in plain words.\n\n"
    "Start with: rag index FOLDER, then: rag ask “a question”, or: rag serve",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

EXIT_INPUT = 2

app.command("index")(index_command)
app.command("ask")(ask_command)
app.command("serve")(serve_command)


@app.command()
def status(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Say what is in the library."""
    with library_at(library, create=False) as opened:
        found = opened.status()
    if as_json:
        terminal.print_json(asdict(found) | {"path": str(found.path)})
    else:
        terminal.print_status(found)


@app.command()
def report(library: LibraryOption = None, *, as_json: JsonOption = False) -> None:
    """Say what came of every file: pages, passages, language, warnings, failures."""
    with library_at(library, create=False) as opened:
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
    with library_at(library, create=False) as opened:
        removed = opened.remove(sources)
    for path in removed:
        out.print(f"removed {escape(path)}", soft_wrap=True)


app.command("password")(password_command)
app.command("mcp")(mcp_command)
app.command("cache")(cache_command)
app.command("check")(check_command)
app.command("eval")(eval_command)
app.command("tune")(tune_command)
app.command("verify")(verify_command)
app.command("export")(export_command)
app.command("backup", help="The same as [bold]rag export[/]: of one moment, while all goes on.")(
    export_command
)
app.command("import")(import_command)


airgap_option.add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; the one place where errors become exit codes."""
    try:
        airgap.close_if_told()
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
