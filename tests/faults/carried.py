"""Carry a library to another environment, and see that it answers the same there, byte by byte.

Run as a program: ``python carried.py LIBRARY FOLDER [--python OTHER] [--questions N]``: LIBRARY is
exported into FOLDER, the Python of another environment, where rag is installed, imports it there,
and both are asked for N (100) stretches of eight words of what is in it. What ``rag ask --json``
would print is compared. Prints one JSON object; exit code 1 if an answer differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

ASK = """
import json, sys
from rag import Library
from rag.cli.ask import as_json_values
with Library.open(sys.argv[1], create=False) as library:
    for question in json.load(sys.stdin):
        told = as_json_values(question, library.ask(question))
        print(json.dumps(told, ensure_ascii=False))
"""

QUESTIONS = """
import json, sys
from rag import Library
with Library.open(sys.argv[1], create=False) as library:
    found = {}
    for one in library.documents():
        words = library.document(one.id).text.split()
        for start in range(0, len(words), 3):
            found[" ".join(words[start : start + 8])] = None
    print(json.dumps([one for one in found if any(map(str.isalnum, one))][: int(sys.argv[2])]))
"""


def run(python: str, *arguments: object, given: str = "") -> str:
    """What a Python says."""
    return subprocess.run(
        [python, *map(str, arguments)], input=given, capture_output=True, text=True, check=True
    ).stdout


def main() -> None:
    """There, and compared."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("library", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--questions", type=int, default=100)
    given = parser.parse_args()
    archive, there = given.folder / "carried.zip", given.folder / "carried"
    run(sys.executable, "-m", "rag", "export", archive, "--library", given.library, "--force")
    run(given.python, "-m", "rag", "import", archive, "--library", there)
    questions = run(sys.executable, "-c", QUESTIONS, given.library, given.questions)
    here = run(sys.executable, "-c", ASK, given.library, given=questions).splitlines()
    other = run(given.python, "-c", ASK, there, given=questions).splitlines()
    equal = sum(one == another for one, another in zip(here, other, strict=True))
    print(json.dumps({"questions": len(here), "equal": equal, "bytes": archive.stat().st_size}))
    if equal < len(here):
        sys.exit(1)


if __name__ == "__main__":
    main()
