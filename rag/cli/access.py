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
    from ui.security.policy import Role


def password_command(
    file: Annotated[Path, typer.Argument(help="The access file; made where there is none.")],
    name: Annotated[
        str | None,
        typer.Argument(help="A person or a program. [dim]default: list those there are[/]"),
    ] = None,
    *,
    owner: Annotated[
        bool, typer.Option("--owner", help="May index, send, remove and rate, not only read.")
    ] = False,
    token: Annotated[
        bool, typer.Option("--token", help="Make a token for a program, and print it once.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the name out.")] = False,
) -> None:
    """Manage who gets into a server that others can reach, for rag serve --auth FILE.

    It asks for a password, or reads a line from standard input, and stores only its hash, in a file
    that only you can read. The server reads the file when it starts.

    Example: rag password people.json ada --owner
    """
    from ui.security import accounts

    if remove and (owner or token):
        raise InputError("--remove takes no other options; leave them out")
    known = accounts.load(file) if file.exists() else accounts.EMPTY
    if name is None:
        _list(known, file)
        return
    name = accounts.validate_name(name)
    role: Role = "owner" if owner else "reader"
    if remove:
        if name not in known.root:
            raise InputError(f"{file} has nobody called {name}; rag password {file} lists them")
        accounts.save(known.without(name), file)
        out.print(f"{escape(name)} is locked out once the server restarts.")
    elif token:
        more, made = known.with_program(name, role)
        accounts.save(more, file)
        err.print("The token, which is not stored; send it as: Authorization: Bearer TOKEN")
        print(made)  # noqa: T201 (the only output on standard output)
    else:
        more = known.with_person(name, role, _prompt())
        accounts.save(more, file)
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
    if not known.root:
        raise InputError(f"{file} gives nobody access; add somebody: rag password {file} NAME")
    for name, account in known.root.items():
        secret = "password" if account.argon2 else "token"
        out.print(f"{escape(name)}: {account.role}, with a {secret}", soft_wrap=True)
