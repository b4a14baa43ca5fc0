"""The README's own examples, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def examples(language: str) -> list[str]:
    """The code blocks of one language."""
    text = (ROOT / "README.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the seeds, where the examples are run."""
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    """Run a command that must succeed; gives what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "RAG_LIBRARY"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, ["added ", "John Cockerill Defence", '"hits": [', "passages    3", "removed "]),
        (1, ["added ", "indexed", "2025-03-05 · score"]),
        (2, ["with “gun turret”, since 2025-01-01", "»", "in 1 document"]),
        (3, ["collection  letters: 1 document in ", "Ada Lovelace", "removed "]),
    ],
)
def test_shell_examples(folder: Path, number: int, expected: list[str]) -> None:
    """Each block of commands does what the text around it says."""
    printed = run(["bash", "-euc", examples("sh")[number]], folder)
    for words in expected:
        assert words in printed


def test_python_example(folder: Path) -> None:
    """Open, index, search, read."""
    (program,) = examples("python")
    printed = run([sys.executable, "-W", "error", "-c", program], folder)
    assert "A key focus area is the Zorawar light tank project" in printed


def test_make_knows_every_target_that_is_named() -> None:
    """No command in the documents that the Makefile doesn't have."""
    text = (ROOT / "README.md").read_text("utf-8") + (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets
