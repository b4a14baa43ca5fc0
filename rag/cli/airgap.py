"""The option ``--airgap``, which every command has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from rag.runtime import airgap

Option = Annotated[
    bool,
    typer.Option(
        "--airgap",
        help="Block all connections to other machines, and prove it first; "
        f"{airgap.VARIABLE}=1 does the same.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the option to all commands registered so far."""
    for command in app.registered_commands:
        if command.callback is not None:
            command.callback = _with_option(command.callback)


def _with_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a command to apply the option before anything else."""

    @wraps(command)
    def called(*arguments: Any, airgapped: bool, **options: Any) -> Any:  # noqa: ANN401 (any command's arguments)
        if airgapped:
            airgap.close()
        return command(*arguments, **options)

    own = inspect.signature(command, eval_str=True)
    option = inspect.Parameter(
        "airgapped", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Option
    )
    parameters = [*own.parameters.values(), option]
    signature = own.replace(parameters=parameters)
    called.__signature__ = signature  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called
