"""Where the files of documents lie."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from nobody import as_nobody

from rag import Document
from rag.documents.source_files import MissingFile, SourceFiles

CONTENT = b"What was read."
DIGEST = hashlib.sha256(CONTENT).hexdigest()
DOCUMENT = Document(DIGEST[:20], "", "", "", DIGEST)


def test_several_places(tmp_path: Path) -> None:
    """A document is found while one of its places has it; else that is said which helps most."""
    sources = [str(tmp_path / name) for name in ("a.pdf", "b.pdf", "c.zip/c.pdf")]
    originals = SourceFiles()
    assert isinstance(found := originals.find(DOCUMENT, sources), MissingFile)
    assert (found.why, found.reason.split(" no ")[0]) == ("gone", "its file a.pdf")
    (tmp_path / "a.pdf").write_bytes(b"Something else.")
    assert isinstance(found := originals.find(DOCUMENT, sources), MissingFile)
    assert (found.why, found.reason.split(" has ")[0]) == ("changed", "its file a.pdf")
    (tmp_path / "c.zip").touch()
    assert isinstance(found := originals.find(DOCUMENT, sources), MissingFile)
    assert (found.why, found.reason.split(";")[0]) == ("inside", "it is inside c.zip, as c.pdf")
    (tmp_path / "b.pdf").write_bytes(CONTENT)
    assert originals.find(DOCUMENT, sources) == tmp_path / "b.pdf"


def test_changed_since_it_was_looked_at(tmp_path: Path) -> None:
    """A digest is remembered only for a file as it was: its size, its time, its place on disk."""
    file = tmp_path / "a.txt"
    file.write_bytes(CONTENT)
    originals = SourceFiles()
    assert originals.find(DOCUMENT, [str(file)]) == file
    file.write_bytes(CONTENT[::-1])
    os.utime(file, (1, 1))
    assert isinstance(originals.find(DOCUMENT, [str(file)]), MissingFile)
    (tmp_path / "b.txt").write_bytes(CONTENT)
    os.utime(tmp_path / "b.txt", (1, 1))
    (tmp_path / "b.txt").replace(file)
    assert originals.find(DOCUMENT, [str(file)]) == file


def test_no_more_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that did not change is not read again."""
    file = tmp_path / "a.txt"
    file.write_bytes(CONTENT)
    originals = SourceFiles()
    originals.find(DOCUMENT, [str(file)])
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("it is read again"))
    assert originals.find(DOCUMENT, [str(file)]) == file


@pytest.mark.parametrize("name", ["a" * 300, "a/../../b", "a\0b"])
def test_names_that_no_file_has(tmp_path: Path, name: str) -> None:
    """A record of a file may be called whatever it likes."""
    (tmp_path / "a.jsonl").touch()
    found = SourceFiles().find(DOCUMENT, [f"{tmp_path}/a.jsonl/{name}"])
    assert found == MissingFile("inside", f"it is inside a.jsonl, as {name}; open it there")
    found = SourceFiles().find(DOCUMENT, [f"{tmp_path}/b.jsonl/{name}"])
    assert isinstance(found, MissingFile)
    assert found.why == "gone"
    assert str(tmp_path) not in found.reason


def test_not_to_be_read() -> None:
    """A file that nobody may open is told by its name alone."""
    # Not in tmp_path, whose parents are closed to others.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        file = Path(name) / "a.txt"
        file.write_bytes(CONTENT)
        file.chmod(0)
        with as_nobody():
            found = SourceFiles().find(DOCUMENT, [str(file)])
    assert found == MissingFile("gone", "its file a.txt can't be read: Permission denied")
