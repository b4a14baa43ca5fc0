"""A library that is closed while other threads use it."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from hashing_embedder import HashingEmbedder

from rag import Library


def test_closed_while_others_read(tmp_path: Path) -> None:
    """They fail, as any use of a closed library does; the process lives on."""
    embedder = HashingEmbedder()
    for number in range(100):
        (tmp_path / f"{number}.txt").write_text(f"Turret number {number} is heavy.")
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        library.index(tmp_path)
    for round_ in range(20):
        library = Library.open(tmp_path / "library", embedder=embedder)
        failed: list[BaseException] = []
        begun = threading.Barrier(5)

        def read(
            library: Library = library,
            failed: list[BaseException] = failed,
            begun: threading.Barrier = begun,
        ) -> None:
            library.documents()
            begun.wait()
            try:
                while True:
                    library.documents(source="*1*")
            except sqlite3.ProgrammingError as error:
                failed.append(error)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun.wait()
        time.sleep(0.005 * (round_ % 5 + 1))
        library.close()
        for thread in threads:
            thread.join(5)
            assert not thread.is_alive()
        assert len(failed) == len(threads)
