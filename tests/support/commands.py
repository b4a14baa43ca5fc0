"""The command ``rag``: in a process of its own, as a person runs it, and in this one, which prints
the same and starts at once.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from rag.cli import output
from rag.cli.main import main

WIDTH = 100
"""Of the terminal, in columns."""

Ran = subprocess.CompletedProcess[str]
"""An exit code, and what was printed."""


def rag(*arguments: str | Path, folder: Path, library: Path | None = None) -> Ran:
    """Run ``rag`` in a folder, by the function that the command calls."""
    given = [str(one) for one in arguments]
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patched,
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patched.delenv("RAG_LIBRARY", raising=False)
        for name, value in _environment(library).items():
            patched.setenv(name, value)
        for console in (output.out, output.err):  # made when first imported, by any test
            patched.setattr(console, "width", WIDTH)
        with pytest.raises(SystemExit) as ended:
            main(given)
    code = ended.value.code or 0
    assert isinstance(code, int)
    return subprocess.CompletedProcess(given, code, out.getvalue(), err.getvalue())


def rag_process(*arguments: str | Path, folder: Path, library: Path | None = None) -> Ran:
    """The same in a process, of which the exit code and the streams are real."""
    inherited = {name: value for name, value in os.environ.items() if name != "RAG_LIBRARY"}
    return subprocess.run(
        [sys.executable, "-m", "rag", *arguments],
        cwd=folder,
        env=inherited | _environment(library),
        capture_output=True,
        text=True,
        check=False,
    )


def _environment(library: Path | None) -> dict[str, str]:
    return {"COLUMNS": str(WIDTH)} | ({"RAG_LIBRARY": str(library)} if library else {})
