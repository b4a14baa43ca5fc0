"""Files and folders that may not be read any more."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hashing_embedder import HashingEmbedder
from nobody import NOBODY, as_nobody

from rag import Failure, Library

QUESTIONS = ["harbour boats", "orchard trees"]
ANSWERS = ["The harbour master counted forty boats.", "The orchard had nine hundred trees."]


def test_lost_permission_loses_no_document() -> None:
    """The file and the folder have failed with their reason, and what was read still answers."""
    # Not in tmp_path, whose parents are closed to others.
    with tempfile.TemporaryDirectory() as name:
        docs = Path(name) / "docs"
        (docs / "closed").mkdir(parents=True)
        (docs / "letter.txt").write_text(ANSWERS[0])
        (docs / "closed" / "note.txt").write_text(ANSWERS[1])
        library = Path(name) / "library"
        with Library.open(library, embedder=HashingEmbedder()) as opened:
            assert len(opened.index(docs).added) == 2
            assert [opened.search(asked)[0].text for asked in QUESTIONS] == ANSWERS
        (docs / "letter.txt").chmod(0)
        (docs / "closed").chmod(0)
        if not os.geteuid():
            for path in (Path(name), library, *library.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        try:
            with as_nobody(), Library.open(library, embedder=HashingEmbedder()) as opened:
                report = opened.index(docs)
                found = [opened.search(asked)[0].text for asked in QUESTIONS]
        finally:
            (docs / "closed").chmod(0o755)
    assert report.removed == ()
    assert set(report.failed) == {
        Failure(
            str(docs / "letter.txt"),
            "it can't be read: Permission denied; its earlier version stays in the library",
        ),
        Failure(
            str(docs / "closed"), "it can't be listed (Permission denied); check who may read it"
        ),
    }
    assert found == ANSWERS


def test_a_library_without_indexes_answers_where_nothing_may_be_written() -> None:
    """As a copy on a read-only medium does; nothing is written to it."""
    with tempfile.TemporaryDirectory() as name:
        library = Path(name) / "library"
        (Path(name) / "letter.txt").write_text(ANSWERS[0])
        with Library.open(library, embedder=HashingEmbedder()) as opened:
            opened.index(Path(name) / "letter.txt")
        (library / "published.json").unlink()
        for path in (Path(name), library, *library.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = sorted(library.rglob("*"))
        try:
            with as_nobody(), Library.open(library, embedder=HashingEmbedder()) as opened:
                found = opened.search(QUESTIONS[0])[0].text
            assert sorted(library.rglob("*")) == before
        finally:
            for path in (Path(name), library):
                path.chmod(0o755)
    assert found == ANSWERS[0]
