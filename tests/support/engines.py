"""Where a library of each engine is kept, for tests that go for all of them."""

from __future__ import annotations

from pathlib import Path

ENGINES = ("embedded", "shared")


def place(engine: str, folder: Path) -> str | Path:
    """A library's folder, or the URL of one whose tables are files: Lance does with them what it
    does in object storage.
    """
    return folder / "library" if engine == "embedded" else f"file://{folder}/shared"
