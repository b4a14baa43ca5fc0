"""The access file: names, roles, and hashes of passwords and tokens.

Passwords are hashed with scrypt (RFC 7914), which makes guessing slow. A token is 256 random bits,
impossible to guess, so one round of SHA-256 is enough and cheap for each request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from rag import InputError
from ui.security.principal import Role, Visitor

SHORTEST_PASSWORD = 12
"""In characters. Length is what counts (NIST SP 800-63B), so there are no other requirements."""

LONGEST_PASSWORD = 1000
LONGEST_NAME = 64

_ROUNDS, _BLOCK, _LANES = 2**14, 8, 5
"""scrypt's N, r and p as in OWASP's cheat sheet: 16 MiB, and some tenths of a second."""

_MEMORY = 64 * 1024**2
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Person:
    """A user with the scrypt hash of a password."""

    name: str
    role: Role
    salt: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Program:
    """A program with the SHA-256 hash of a token."""

    name: str
    role: Role
    digest: bytes


_NOBODY = Person("", "reader", secrets.token_bytes(16), secrets.token_bytes(32))
"""Checked when the name is unknown, so that the response takes as long."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts, by name."""

    people: Mapping[str, Person]
    programs: Mapping[str, Program]

    def person(self, name: str, password: str) -> Visitor | None:
        """Authenticate by name and password; takes some tenths of a second."""
        known = self.people.get(_composed(name), _NOBODY)
        right = hmac.compare_digest(_hashed(password, known.salt), known.digest)
        return Visitor(known.name, known.role) if right and known is not _NOBODY else None

    def program(self, token: str) -> Visitor | None:
        """Authenticate by token."""
        digest = hashlib.sha256(token.encode()).digest()
        found = None
        for one in self.programs.values():  # all of them, for constant time
            if hmac.compare_digest(digest, one.digest):
                found = Visitor(one.name, one.role)
        return found

    def with_person(self, name: str, role: Role, password: str) -> Accounts:
        """A copy with a user added, or with a new password for an existing one.

        Raises
        ------
        InputError
            If the name is invalid, or the password is too short or too long.
        """
        name = named(name)
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise InputError(
                f"a password has {SHORTEST_PASSWORD} characters or more, and at most "
                f"{LONGEST_PASSWORD}; several words make a good one"
            )
        salt = secrets.token_bytes(16)
        person = Person(name, role, salt, _hashed(password, salt))
        return replace(self.without(name), people={**self.without(name).people, name: person})

    def with_program(self, name: str, role: Role) -> tuple[Accounts, str]:
        """A copy with a program added, and its token, which can't be recovered later.

        Raises
        ------
        InputError
            If the name is invalid.
        """
        name, token = named(name), secrets.token_urlsafe(32)
        program = Program(name, role, hashlib.sha256(token.encode()).digest())
        without = self.without(name)
        return replace(without, programs={**without.programs, name: program}), token

    def without(self, name: str) -> Accounts:
        """A copy without this account."""
        return Accounts(
            people={key: one for key, one in self.people.items() if key != name},
            programs={key: one for key, one in self.programs.items() if key != name},
        )


EMPTY = Accounts({}, {})


def named(given: str) -> str:
    """Validate and normalize a name.

    Raises
    ------
    InputError
        If it is invalid.
    """
    name = _composed(given)
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        raise InputError(f"a name has 1 to {LONGEST_NAME} characters, all of which can be seen")
    return name


def read(path: Path) -> Accounts:
    """Load an access file.

    Raises
    ------
    InputError
        If it can't be read, is not an access file, or is readable by other users of this machine.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise InputError(_no_access_file(path))
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}; make an access file: rag password {path} NAME"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(_no_access_file(path)) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(f"others on this machine can use {path}; run: chmod 600 {path}")
    try:
        found = json.loads(content)
        return Accounts(
            people={name: _person(name, of) for name, of in found["people"].items()},
            programs={name: _program(name, of) for name, of in found["programs"].items()},
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(_no_access_file(path)) from error


def write(accounts: Accounts, path: Path) -> None:
    """Write the access file atomically, readable by its owner only.

    Raises
    ------
    InputError
        If it can't be written.
    """
    content = {
        "people": {
            one.name: {"role": one.role, "salt": one.salt.hex(), "scrypt": one.digest.hex()}
            for one in accounts.people.values()
        },
        "programs": {
            one.name: {"role": one.role, "sha256": one.digest.hex()}
            for one in accounts.programs.values()
        },
    }
    try:
        # mkstemp creates it with owner-only permissions from the start.
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(_PRIVATE)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path} can't be written: {error.strerror or error}; choose another place"
        ) from error


def _person(name: str, of: Mapping[str, Any]) -> Person:
    return Person(name, _role(of), bytes.fromhex(of["salt"]), bytes.fromhex(of["scrypt"]))


def _program(name: str, of: Mapping[str, Any]) -> Program:
    return Program(name, _role(of), bytes.fromhex(of["sha256"]))


def _role(of: Mapping[str, Any]) -> Role:
    found: Role = of["role"]
    if found not in get_args(Role):
        raise ValueError(found)
    return found


def _hashed(password: str, salt: bytes) -> bytes:
    composed = _composed(password)[:LONGEST_PASSWORD].encode(errors="surrogatepass")
    return hashlib.scrypt(
        composed, salt=salt, n=_ROUNDS, r=_BLOCK, p=_LANES, maxmem=_MEMORY, dklen=32
    )


def _composed(text: str) -> str:
    """Normalize to NFC: browsers and terminals may encode the same letter differently."""
    return unicodedata.normalize("NFC", text)


def _no_access_file(path: Path) -> str:
    return f"{path} is no access file; make one: rag password NEW-FILE NAME"
