"""The access file: names, roles, and hashes of passwords and tokens.

Passwords are hashed by argon2-cffi, with Argon2id and the parameters that RFC 9106 recommends for
little memory (64 MiB). A token is 256 random bits, impossible to guess, so one round of SHA-256 is
enough and cheap for each request.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from pydantic import Field, RootModel

from rag import InputError
from ui.security.policy import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    Principal,
    Role,
)

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4"
    "$h3SqLAxkf0UrVP8SuqEWfw$WaCgftaSEb50CeNhORfQbw7UUOi60F++d84lbqo0uoE"
)
"""The hash of random bytes, checked when the name is unknown so that it takes as long."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person, with the hash of a password, or a program, with the hash of a token."""

    role: Role
    argon2: Annotated[str, Field(pattern=r"^\$argon2id\$[!-~]+$")] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class Accounts(RootModel[Mapping[str, Account]], frozen=True):
    """All accounts, by name."""

    def person(self, name: str, password: str) -> Principal | None:
        """Authenticate by name and password; takes some tenths of a second."""
        account = self.root.get(name := _normalize(name))
        known = account.argon2 if account else None
        try:
            _HASHER.verify(known or _NOBODY, _password_bytes(password))
        except VerificationError:
            return None
        return Principal(name, account.role) if account and known else None

    def program(self, token: str) -> Principal | None:
        """Authenticate by token."""
        digest, found = hashlib.sha256(token.encode()).hexdigest(), None
        for name, account in self.root.items():  # all of them, for constant time
            if hmac.compare_digest(digest, account.sha256 or ""):
                found = Principal(name, account.role)
        return found

    def with_person(self, name: str, role: Role, password: str) -> Accounts:
        """A copy with a user added, or with a new password for an existing one.

        Raises
        ------
        InputError
            If the name is invalid, or the password is too short or too long.
        """
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise InputError(
                f"a password needs at least {SHORTEST_PASSWORD} characters, and at most "
                f"{LONGEST_PASSWORD}; several words make a good one"
            )
        account = Account(role, argon2=_HASHER.hash(_password_bytes(password)))
        return Accounts({**self.root, validate_name(name): account})

    def with_program(self, name: str, role: Role) -> tuple[Accounts, str]:
        """A copy with a program added, and its token, which can't be recovered later.

        Raises
        ------
        InputError
            If the name is invalid.
        """
        token = secrets.token_urlsafe(32)
        account = Account(role, sha256=hashlib.sha256(token.encode()).hexdigest())
        return Accounts({**self.root, validate_name(name): account}), token

    def without(self, name: str) -> Accounts:
        """A copy without this account."""
        return Accounts({key: one for key, one in self.root.items() if key != name})


EMPTY = Accounts({})


def validate_name(name: str) -> str:
    """Normalize a name.

    Raises
    ------
    InputError
        If it is empty, too long, or has characters that can't be printed.
    """
    name = _normalize(name)
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        raise InputError(f"a name must have 1 to {LONGEST_NAME} printable characters")
    return name


def load(path: Path) -> Accounts:
    """Load an access file.

    Raises
    ------
    InputError
        If it can't be read, is not an access file, or is readable by other users of this machine.
    """
    try:
        mode = path.stat().st_mode
        content = path.read_bytes() if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}; make an access file: rag password {path} NAME"
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(f"others on this machine can use {path}; run: chmod 600 {path}")
    try:
        return Accounts.model_validate_json(content)
    except ValueError:  # whose message shows hashes
        raise InputError(
            f"{path} is not an access file; make one: rag password NEW-FILE NAME"
        ) from None


def save(accounts: Accounts, path: Path) -> None:
    """Write the access file atomically, readable by its owner only.

    Raises
    ------
    InputError
        If it can't be written.
    """
    try:
        # mkstemp creates it with owner-only permissions from the start.
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(f"{accounts.model_dump_json(indent=2, exclude_none=True)}\n")
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path} can't be written: {error.strerror or error}; choose another place"
        ) from error


def _password_bytes(password: str) -> bytes:
    return _normalize(password)[:LONGEST_PASSWORD].encode(errors="surrogatepass")


def _normalize(text: str) -> str:
    """Normalize to NFC: browsers and terminals may encode the same letter differently."""
    return unicodedata.normalize("NFC", text)
