"""One of two that write a shared library at once; started by ``test_two_writers.py``.

::

    python writer_of_rounds.py URL FOLDER SEED ROUNDS

Every round adds a file, changes one and removes one, and indexes the folder. What is in a file
comes from a small stock that both writers draw from: a document is often in files of both, and
comes back after it went.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from hashing_embedder import HashingEmbedder
from kill_at_every_step import read_here

import rag.ingest.run
from rag import Library, LibraryBusy

ATTEMPTS = 3
STOCK = 40
"""So many different texts."""


def text(number: int) -> str:
    """One of the texts."""
    return f"Bell number {number} hangs in tower {number * 7}. It rings at {number % 24} o'clock.\n"


def play(library: Library, folder: Path, seed: int, rounds: int) -> None:
    """Write so many rounds."""
    chosen = random.Random(seed)  # noqa: S311 (no secret)
    folder.mkdir()
    for number in range(rounds):
        (folder / f"{number:03}.txt").write_text(text(chosen.randrange(STOCK)))
        there = sorted(folder.iterdir())
        chosen.choice(there).write_text(text(chosen.randrange(STOCK)))
        if len(there) > 2:
            chosen.choice(there).unlink()
        index(library, folder)


def index(library: Library, folder: Path) -> None:
    """Index, once more where the other writer removed what this one was about to point at: so says
    the error.
    """
    for _ in range(ATTEMPTS):
        try:
            library.index(folder)
        except LibraryBusy as error:
            print(error, file=sys.stderr)
        else:
            return
    raise RuntimeError(f"{ATTEMPTS} times in a row")


if __name__ == "__main__":
    url, place, seed, rounds = sys.argv[1:]
    rag.ingest.run.read = read_here
    with Library.open(url, embedder=HashingEmbedder()) as opened:
        play(opened, Path(place), int(seed), int(rounds))
