"""What is said to whatever watches over the server: while it starts, works, and is in trouble."""

from __future__ import annotations

import shutil
import threading
from importlib.metadata import version
from pathlib import Path

from hashing_embedder import HashingEmbedder
from served import api

from rag import Library
from ui.jobs import Jobs
from ui.ops.metrics import LibraryState, Metrics
from ui.ops.warm_up import WarmUp


def test_ready_only_while_questions_are_answered(tmp_path: Path) -> None:
    """Not before the model is loaded, nor when the library is damaged or gone; it lives anyway."""
    folder = tmp_path / "library"
    with Library.open(folder, embedder=HashingEmbedder()) as library:
        warming = WarmUp(library)
        client = api(library, warming=warming)
        assert client.get("/health").json() == {"status": "ok", "version": version("rag")}
        waiting = client.get("/ready")
        assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "5")
        assert "indexes are loading" in waiting.json()["detail"]
        warming.start()
        warming.join()
        assert client.get("/ready").json() == {"status": "ready"}
        counted = Metrics(LibraryState(library, Jobs(library), warming))
        assert b"rag_documents 0.0" in counted.text()
        for ruin in (damage, shutil.rmtree):
            ruin(folder)
            answer = client.get("/ready")
            assert answer.status_code == 503, ruin
            assert answer.json()["type"] == "/api/v1/problems/broken"
            assert "the terminal that runs rag says more" in answer.json()["detail"]
            assert client.get("/health").status_code == 200
            assert b"rag_readable 0.0" in counted.text()
            assert b"rag_documents 0.0" not in counted.text()


def test_ready_while_files_come_and_go(tmp_path: Path) -> None:
    """As they do while something is indexed: one that has gone meanwhile is no trouble."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        over = threading.Event()
        draft = library.path / "files" / "draft"
        draft.parent.mkdir()

        def write() -> None:
            while not over.is_set():
                draft.touch()
                draft.unlink()

        writing = threading.Thread(target=write)
        writing.start()
        try:
            for _ in range(300):
                library.status()
        finally:
            over.set()
            writing.join()


def damage(folder: Path) -> None:
    """Write over the store, as a failing disk might."""
    for file in folder.glob("library.db*"):
        with file.open("r+b") as opened:
            opened.write(b"\xff" * file.stat().st_size)
