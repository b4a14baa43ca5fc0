"""Two processes write one library at once, and it ends as if one had come after the other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import writer_of_rounds
from engines import place
from hashing_embedder import HashingEmbedder
from kill_at_every_step import read_here

from rag import Library
from rag.cluster.lance.statistics import VERSION

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("RAG_CLUSTER_ROUNDS", "5"))
"""50 in `make cluster`."""
SEEDS = (1, 2)


def test_two_writers_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of adding, changing and removing, of texts that both have: the tables equal those of a
    sequential replay, row by row.
    """
    at_once, replayed = (str(place("shared", tmp_path / name)) for name in ("both", "one"))
    folders = [tmp_path / f"writer {seed}" for seed in SEEDS]
    with Library.open(at_once, embedder=HashingEmbedder()):
        pass  # made
    program = Path(writer_of_rounds.__file__)
    writers = [
        subprocess.Popen(
            [sys.executable, program, at_once, folder, str(seed), str(ROUNDS)],
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
    monkeypatch.setattr("rag.ingest.run.read", read_here)
    with Library.open(replayed, embedder=HashingEmbedder()) as library:
        for seed, folder in zip(SEEDS, folders, strict=True):
            writer_of_rounds.play(library, folder, seed, ROUNDS)
        expected = rows(library)
    with Library.open(at_once, create=False, embedder=HashingEmbedder()) as library:
        found = rows(library)
    for table, those in expected.items():
        assert found[table] == those, table


def rows(library: Library) -> dict[str, dict[str, Any]]:
    """All that is in the tables, by key, but for times."""
    tables = library._engine._tables
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
