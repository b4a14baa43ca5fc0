#!/usr/bin/env python3
"""Pin every package of the default install by its hashes: `make lock`, after constraints.txt.

uv resolves for all systems at once, held to constraints.txt. PyTorch and what only it brings to
Linux (several GB of CUDA) go into a file of their own, because who wants PyTorch's CPU build
installs that from elsewhere.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "ui" / "deployment"
OF_TORCH = re.compile(r"(torch|triton|cuda-\w+|nvidia-[\w-]+)==")
BUILD = "setuptools>=77"  # builds rag itself, without asking an index for it
HEAD = "# Made by `make lock`: {what}. Install with pip install --require-hashes --no-deps -r.\n"


def main() -> None:
    """Write both files."""
    resolved = subprocess.run(  # noqa: S603 (a program that the Makefile names)
        [
            *(sys.argv[1], "pip", "compile", "pyproject.toml", "-", "--constraints"),
            *("constraints.txt", "--universal", "--python-version", "3.11", "--generate-hashes"),
            *("--no-header", "--no-annotate", "--quiet"),
        ],
        cwd=ROOT,
        input=BUILD,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    entries = re.findall(r"^\S.*\n(?:[ ].*\n)*", resolved, re.MULTILINE)
    torch = [one for one in entries if OF_TORCH.match(one)]
    rest = [one for one in entries if not OF_TORCH.match(one)]
    for name, what, listed in (
        ("locked.txt", "all but PyTorch", rest),
        ("locked-torch.txt", "PyTorch as PyPI has it, with CUDA on Linux", torch),
    ):
        (FOLDER / name).write_text(HEAD.format(what=what) + "".join(listed), encoding="utf-8")


if __name__ == "__main__":
    main()
