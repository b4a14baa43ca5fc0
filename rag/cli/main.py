"""The entry point of the command ``rag``."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

import typer

from rag.cli.output import err, escape, out
from rag.errors import RagError
from rag.runtime import airgap
from rag.runtime.threads import limit_arenas, limit_blas_to_one_thread, shorten_switch_interval

HELP = (
    "Ask your own documents questions, in plain words.\n\n"
    "Start with: rag index FOLDER, then: rag ask “a question”, or: rag serve"
)

COMMANDS = MappingProxyType(
    {
        "index": "index:index_command",
        "ask": "ask:ask_command",
        "serve": "serve:serve_command",
        "password": "access:password_command",
        "status": "contents:status_command",
        "report": "contents:report_command",
        "remove": "contents:remove_command",
        "mcp": "serve:mcp_command",
        "check": "integrity:check_command",
        "eval": "evaluate:eval_command",
        "restore": "contents:restore_command",
        "verify": "integrity:verify_command",
        "doctor": "integrity:doctor_command",
        "export": "archive:export_command",
        "backup": "archive:export_command",
        "import": "archive:import_command",
    }
)
"""The commands in the order of ``rag --help``, each with its module in rag.cli and function."""

OTHER_HELP = MappingProxyType(
    {"backup": "The same as [bold]rag export[/]: a consistent snapshot, even while it is in use."}
)

AirgapOption = Annotated[
    bool,
    typer.Option(
        "--airgap",
        help="Block all connections to other machines, and prove it first; "
        f"{airgap.VARIABLE}=1 does the same.",
    ),
]

EXIT_INPUT = 2


def app(arguments: Sequence[str]) -> typer.Typer:
    """Build the Typer application with only the command that the arguments name, or with all of
    them.

    So a question need not wait for the imports of evaluation and loaders.
    """
    made = typer.Typer(
        name="rag",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        callback=_options,
    )
    for name in COMMANDS.keys() & arguments[:1] or COMMANDS:
        module, _, function = COMMANDS[name].partition(":")
        command = getattr(import_module(f"rag.cli.{module}"), function)
        made.command(name, help=OTHER_HELP.get(name))(_with_airgap(command))
    return made


def _with_airgap(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option ``--airgap`` to a command, to be applied before anything else."""

    @wraps(command)
    def called(*arguments: Any, airgapped: bool, **options: Any) -> Any:  # noqa: ANN401 (any command's arguments)
        if airgapped:
            airgap.close()
        return command(*arguments, **options)

    own = inspect.signature(command, eval_str=True)
    option = inspect.Parameter(
        "airgapped", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AirgapOption
    )
    signature = own.replace(parameters=[*own.parameters.values(), option])
    called.__signature__ = signature  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()}
    return called


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (Typer's callback signature)
    if wanted:
        from importlib.metadata import version

        out.print(f"rag {version('rag')}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    # Needed even without options: Typer would otherwise make a lone command the whole application.
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; the only place where errors become exit codes."""
    limit_blas_to_one_thread()
    limit_arenas()
    shorten_switch_interval()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        airgap.close_if_requested()
        app(given)(given)
    except RagError as error:
        _fail(str(error))
    except BrokenPipeError:
        # The reader of a pipe exited (rag ask … | head): stop quietly, and keep Python from failing
        # to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}; check that it can be used")


def _fail(message: str) -> NoReturn:
    err.print(f"[red]rag:[/] {escape(message)}", soft_wrap=True)
    sys.exit(EXIT_INPUT)
