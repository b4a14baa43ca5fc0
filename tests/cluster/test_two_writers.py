"""Two processes write one library at once, and it ends as if one had come after the other."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from engines import place
from hashing_embedder import HashingEmbedder
from kill_at_every_step import read_here

import rag.ingest.run
from rag import Library, LibraryBusy
from rag.cluster.lance.statistics import VERSION

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("RAG_CLUSTER_ROUNDS", "5"))
"""50 in `make cluster`."""
SEEDS = (1, 2)
ATTEMPTS = 3
STOCK = 40
"""So many different texts."""


def test_two_writers_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of adding, changing and removing, of texts that both have: the tables equal those of a
    sequential replay, row by row.
    """
    at_once, replayed = (str(place("shared", tmp_path / name)) for name in ("both", "one"))
    folders = [tmp_path / f"writer {seed}" for seed in SEEDS]
    with Library.open(at_once, embedder=HashingEmbedder()):
        pass  # made
    writers = [
        subprocess.Popen(
            [sys.executable, __file__, at_once, folder, str(seed), str(ROUNDS)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed, folder in zip(SEEDS, folders, strict=True)
    ]
    ended = [(one.communicate()[1], one.returncode) for one in writers]
    assert [code for _, code in ended] == [0, 0], "\n".join(said for said, _ in ended)[-4000:]
    for folder in folders:
        shutil.rmtree(folder)
    monkeypatch.setattr(rag.ingest.run, "read", read_here)
    with Library.open(replayed, embedder=HashingEmbedder()) as library:
        for seed, folder in zip(SEEDS, folders, strict=True):
            play(library, folder, seed, ROUNDS)
        expected = rows(library)
    with Library.open(at_once, create=False, embedder=HashingEmbedder()) as library:
        found = rows(library)
    for table, those in expected.items():
        assert found[table] == those, table


def rows(library: Library) -> dict[str, dict[str, Any]]:
    """All that is in the tables, by key, but for times."""
    tables = library.engine._tables
    columns = {
        "documents": ("id", "title", "text", "digest", "paths", "files", "located", "passages"),
        "passages": ("id", "document", "text", "sources", "located", "stems", "bits"),
        "files": ("path", "size", "digest", "reader", "failures"),
        "terms": ("term", "passages"),
    }
    found: dict[str, dict[str, Any]] = {}
    for name, listed in columns.items():
        there = list(getattr(tables, name).rows(listed))
        found[name] = {row[listed[0]]: row for row in there if row[listed[0]] != VERSION}
        assert len(there) - (name == "terms") == len(found[name]), f"twice in {name}"
    return found


def text(number: int) -> str:
    """One of the texts."""
    return f"Bell number {number} hangs in tower {number * 7}. It rings at {number % 24} o'clock.\n"


def play(library: Library, folder: Path, seed: int, rounds: int) -> None:
    """Write so many rounds, each of which adds a file, changes one and removes one.

    What is in a file comes from a small stock that both writers draw from: a document is often in
    files of both, and comes back after it went.
    """
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
    url, articles, seed, rounds = sys.argv[1:]
    rag.ingest.run.read = read_here
    with Library.open(url, embedder=HashingEmbedder()) as opened:
        play(opened, Path(articles), int(seed), int(rounds))
