"""``rag password``: manage the accounts of a server that others can reach."""

from __future__ import annotations

import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from rag.cli.output import err, out
from rag.errors import InputError

if TYPE_CHECKING:
    from ui.security.accounts import Accounts
    from ui.security.principal import Role


def password_command(
    file: Annotated[
        Path,
        typer.Argument(help="The access file; created if it doesn't exist.", show_default=False),
    ],
    name: Annotated[
        str | None,
        typer.Argument(help="A person or a program. [dim]default: list all[/]", show_default=False),
    ] = None,
    *,
    owner: Annotated[
        bool,
        typer.Option(
            "--owner", help="Allow indexing, uploading, removing and rating, not only reading."
        ),
    ] = False,
    token: Annotated[
        bool, typer.Option("--token", help="Create a token for a program, and print it once.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the name.")] = False,
) -> None:
    """Manage who gets into a server that others can reach, for rag serve --auth FILE.

    It asks for a password, or reads a line from standard input, and stores only its hash, in a file
    that only you can read. The server reads the file when it starts.

    Example: rag password people.json ada --owner
    """
    from ui.security import accounts

    if remove and (owner or token):
        raise InputError("--remove takes no other options; leave them out")
    known = accounts.read(file) if file.exists() else accounts.EMPTY
    if name is None:
        _list(known, file)
        return
    name = accounts.named(name)
    role: Role = "owner" if owner else "reader"
    if remove:
        if name not in {*known.people, *known.programs}:
            raise InputError(f"{file} has nobody called {name}; rag password {file} lists them")
        accounts.write(known.without(name), file)
        out.print(f"{escape(name)} is locked out once the server restarts.")
    elif token:
        more, made = known.with_program(name, role)
        accounts.write(more, file)
        err.print("The token, which is not stored; send it as: Authorization: Bearer TOKEN")
        print(made)  # noqa: T201 (the only output on standard output)
    else:
        more = known.with_person(name, role, _prompt())
        accounts.write(more, file)
        out.print(f"{escape(name)} has access as {role}: rag serve --auth {escape(str(file))}")


def _prompt() -> str:
    """Read a password: typed twice on a terminal, otherwise one line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    try:
        first = getpass("Password (not shown): ", stream=sys.stderr)
        second = getpass("Once more: ", stream=sys.stderr)
    except EOFError as error:
        raise InputError("no password was given; nothing was changed") from error
    if first != second:
        raise InputError("the passwords differ; nothing was changed")
    return first


def _list(known: Accounts, file: Path) -> None:
    if not (known.people or known.programs):
        raise InputError(f"{file} gives nobody access; add somebody: rag password {file} NAME")
    for person in known.people.values():
        out.print(f"{escape(person.name)}: {person.role}, with a password", soft_wrap=True)
    for program in known.programs.values():
        out.print(f"{escape(program.name)}: {program.role}, with a token", soft_wrap=True)
