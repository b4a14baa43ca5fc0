"""Passwords of protected PDFs: read from a file, or prompted for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from getpass import getpass
from pathlib import Path

from rag.cli.output import count, err, escape
from rag.errors import InputError
from rag.runtime.files import open_file
from rag.types.reports import IndexReport


def read_file(path: Path) -> list[str]:
    """Read a password file, one per line; empty lines are skipped.

    Raises
    ------
    InputError
        If it can't be read.
    """
    try:
        with open_file(path) as file:
            lines = file.read().decode("utf-8").splitlines()
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise InputError(f"--passwords {path}: {reason}; name a text file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--passwords {path}: it is not in UTF-8; save it as such") from error
    return [line for line in lines if line]


def can_prompt() -> bool:
    """Whether there is a terminal to prompt on."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def prompt_and_retry(
    report: IndexReport, index: Callable[[Sequence[str]], IndexReport], given: list[str]
) -> IndexReport:
    """Prompt for the password of each PDF that needs one, and index again with it.

    Each password that opens a file is tried on the others before the next prompt.

    Parameters
    ----------
    report
        The report of the last run.
    index
        Runs indexing again with these passwords.
    given
        Known passwords; those that opened something are added.

    Returns
    -------
    IndexReport
        The report of the last run.
    """
    if locked := _locked(report):
        err.print(f"{count(len(locked), 'PDF')} with a password; press Enter to leave one out.")
    left_out: set[str] = set()
    while locked := [name for name in _locked(report) if name not in left_out]:
        err.print(f"Password of {escape(locked[0])}", soft_wrap=True)
        try:
            password = getpass("(not shown): ", stream=sys.stderr)
        except EOFError:  # Ctrl-D: skip the rest
            err.print()
            break
        if not password:
            left_out.add(locked[0])
            continue
        report = index([*given, password])
        opened = len(locked) - len(set(_locked(report)).intersection(locked))
        if opened:
            given.append(password)
            passages = count(report.embedded, "passage")
            err.print(f"It opens {count(opened, 'PDF')}: {passages} embedded.")
        else:
            err.print("It does not open it; try again, or press Enter to leave it out.")
    return report


def _locked(report: IndexReport) -> list[str]:
    return [one.source for one in report.failed if one.kind == "password"]
