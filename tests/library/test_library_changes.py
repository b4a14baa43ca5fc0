"""A library whose files and neighbours change, break and come back."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from three_articles import BREAD

from rag import (
    DocumentNotFound,
    Library,
    LibraryBusy,
    LibraryDamaged,
    LibraryError,
    LibraryMismatch,
    LibraryNotFound,
    Progress,
    SourceNotFound,
)
from rag.index.folder import locked
from rag.models.embedder import SentenceTransformerEmbedder
from rag.models.named_models import MINILM, PackagedModel
from rag.runtime import heartbeat
from rag.types import Passage, PassageEncoding


def test_missing_path(library: Library, articles: Path) -> None:
    """One wrong path, and nothing at all is done."""
    with pytest.raises(SourceNotFound, match="no file or folder"):
        library.index([articles, articles / "nowhere"])
    assert library.status().documents == 0


def test_remove(library: Library, articles: Path) -> None:
    """A file, then a folder that does not exist any more."""
    library.index(articles)
    assert library.remove([articles / "tanks.txt"]) == [str(articles / "tanks.txt")]
    shutil.rmtree(articles)
    assert len(library.remove([articles])) == 2
    status = library.status()
    assert (status.documents, status.passages, status.sentences) == (0, 0, 0)
    assert library.search("turret bread whales") == []
    with pytest.raises(SourceNotFound, match="nothing is indexed under"):
        library.remove([articles])


def test_word_piece_counts_follow_the_passages(library: Library, articles: Path) -> None:
    """After adding, changing and removing, the counts are those of what is left."""
    library.index(articles)
    (articles / "tanks.txt").write_text("The cannon is from Zaventem.")
    library.index(articles)
    library.remove([articles / "bread.txt"])
    with sqlite3.connect(library.path / "library.db") as connection:
        kept = connection.execute("SELECT id, passages FROM piece WHERE passages != 0").fetchall()
    expected: dict[int, int] = {}
    tokenizer = library.embedder._tokenization._tokenizer
    for summary in library.documents():
        text = library.document(summary.id).text
        for piece in set(tokenizer.encode(text, add_special_tokens=False).ids):
            expected[piece] = expected.get(piece, 0) + 1
    assert dict(kept) == expected


def test_documents_newest_first(library: Library, articles: Path) -> None:
    """By the date in the text, or else by the file's."""
    noon = dt.datetime(2019, 8, 7, 12, tzinfo=dt.UTC).timestamp()
    os.utime(articles / "bread.txt", (noon, noon))
    os.utime(articles / "deep" / "whales.md", (noon + 86_400, noon + 86_400))
    library.index(articles)
    found = library.documents()
    assert [(one.date, one.passages) for one in found] == [
        (dt.date(2024, 1, 2), 1),
        (dt.date(2019, 8, 8), 1),
        (dt.date(2019, 8, 7), 1),
    ]
    assert library.documents(1) == found[:1]
    assert [one.date_from for one in found] == ["document", "file time", "file time"]
    assert library.search("turret from Ghent")[0].date_from == "document"
    assert library.search("sourdough bread")[0].date_from == "file time"
    with pytest.raises(DocumentNotFound, match="no document"):
        library.document("nothing")


def test_progress_counts_up(library: Library, articles: Path) -> None:
    """The steps end with every file and passage."""
    steps: list[Progress] = []
    library.index(articles, progress=steps.append)
    assert (steps[-1].files_done, steps[-1].files, steps[-1].embedded) == (3, 3, 3)
    assert [step.files_done for step in steps] == sorted(step.files_done for step in steps)


@pytest.mark.parametrize("stop", [False, True])
def test_progress_within_a_long_paragraph(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, stop: bool
) -> None:
    """It counts characters while the paragraph is split, and can be cancelled there."""
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.001)
    (tmp_path / "long.txt").write_text("Yes. No! " * 10_000)
    steps: list[Progress] = []

    def follow(step: Progress) -> None:
        steps.append(step)
        if stop and 0 < step.done < step.total == 89_999:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) if stop else nullcontext():
        library.index(tmp_path / "long.txt", progress=follow)
    counts = [step.done for step in steps if step.stage == "reading" and step.total]
    assert counts == sorted(counts)
    assert len(set(counts)) > 3 or stop
    assert library.status().documents == (not stop)


def test_bars_are_drawn_on_standard_error(
    library: Library, articles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``progress=True`` leaves standard output alone."""
    library.index(articles, progress=True)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "harm",
    [
        lambda folder: (folder / "published.json").unlink(),
        lambda folder: (folder / "published.json").write_text("{"),
        lambda folder: shutil.rmtree(folder / "words"),
        lambda folder: (folder / "words" / "meta.json").write_text("{"),
        lambda folder: next(folder.glob("vectors-*")).unlink(),
        lambda folder: next(folder.glob("vectors-*")).write_bytes(b"IxFI"),
    ],
    ids=["not published", "bad json", "no words", "bad words", "no vectors", "bad vectors"],
)
def test_damaged_indexes_are_rebuilt(
    tmp_path: Path, articles: Path, embedder: SentenceTransformerEmbedder, harm: object
) -> None:
    """Everything but the store is derived: it is made again, without the model."""
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        library.index(articles)
        before = library.search("turret from Ghent")
    harm(tmp_path / "library")
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        assert library.search("turret from Ghent") == before


def test_store_from_an_older_copy(
    tmp_path: Path, articles: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """Indexes that are ahead of the store are rebuilt."""
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        library.index(articles / "bread.txt")
        before = library.search("bread and whales")
    shutil.copy(tmp_path / "library" / "library.db", tmp_path / "copy.db")
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        library.index(articles)
    shutil.copy(tmp_path / "copy.db", tmp_path / "library" / "library.db")
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        assert library.search("bread and whales") == before


def test_reader_sees_what_another_one_wrote(
    tmp_path: Path, articles: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """A page that is open answers from what was indexed meanwhile."""
    with (
        Library.open(tmp_path / "library", embedder=embedder) as writer,
        Library.open(tmp_path / "library", embedder=embedder) as reader,
    ):
        assert reader.search("turret") == []
        writer.index(articles)
        assert "Ghent" in reader.search("turret")[0].text
        writer.remove([articles / "tanks.txt"])
        assert all("Ghent" not in hit.text for hit in reader.search("turret"))


def test_search_goes_on_while_another_writes(library: Library, articles: Path) -> None:
    """A reader keeps its snapshot, though more is committed; a second writer is told to wait."""
    library.index(articles / "bread.txt")
    held, release = threading.Event(), threading.Event()

    def hold(_step: Progress) -> None:
        if library.status().documents > 1:
            held.set()
            release.wait(30)

    writer = threading.Thread(target=library.index, args=(articles,), kwargs={"progress": hold})
    writer.start()
    try:
        assert held.wait(30)
        assert [hit.title for hit in library.search("bread", k=9)] == [
            BREAD.split(".", maxsplit=1)[0] + "."
        ]
        with pytest.raises(LibraryBusy, match="is writing"), locked(library.path, 0.1):
            pass
    finally:
        release.set()
        writer.join()
    assert "Ghent" in library.search("turret")[0].text


def test_interrupted_run_keeps_what_is_done(library: Library, articles: Path) -> None:
    """Ctrl-C in the middle: what was committed is found at once, and the next run goes on."""
    commits = 0

    def interrupt(step: Progress) -> None:
        nonlocal commits
        commits += step.embedded > 0
        if commits == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.index(articles, progress=interrupt)
    kept = library.status().documents
    assert kept == 2
    assert len(library.search("turret bread whales")) == kept
    assert len(library.index(articles).added) == 1
    assert library.status().documents == 3


def test_what_a_killed_run_stored_goes_with_its_file(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after a document was committed and before its file was recorded as read: when that
    file is gone by the next run, the document goes, too.
    """

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(library.engine.writer), "record_files", killed)
        with pytest.raises(KeyboardInterrupt):
            library.index(articles)
    stored = library.documents()
    assert stored
    assert library.report() == []
    for one in stored:
        Path(one.source).unlink()
    (articles / "new.txt").write_text("Quokkas smile.")
    removed = library.index(articles).removed
    assert sorted(removed) == sorted(one.source for one in stored)
    assert not {one.source for one in stored} & {one.source for one in library.documents()}


def test_document_goes_in_whole_or_not_at_all(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model fails in the middle of a document: nothing of it is left, and others can come."""
    library.index(articles / "bread.txt")
    before = library.status()
    real = library.embedder.passages

    def fail_after_one(passages: list[Passage]) -> Iterator[PassageEncoding]:
        yield from real(passages[:1])
        raise MemoryError

    (articles / "long.txt").write_text("\n\n".join(f"Sentence {n} about sand." for n in range(200)))
    with monkeypatch.context() as patched:
        patched.setattr(library.embedder, "passages", fail_after_one)
        with pytest.raises(MemoryError):
            library.index(articles / "long.txt")
    after = library.status()
    assert (after.passages, after.generation) == (before.passages, before.generation)
    assert library.index(articles / "long.txt").embedded > 1


def test_store_that_cannot_be_written(library: Library, articles: Path) -> None:
    """A full disk is said in words, and costs nothing that was committed."""
    library.index(articles / "bread.txt")
    connection = library.engine.database.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to be full
    (articles / "long.txt").write_text("\n\n".join(f"Sentence {n} about sand." for n in range(400)))
    with pytest.raises(LibraryError, match=r"can't be written .*full.* check the disk's space"):
        library.index(articles)
    connection.execute("PRAGMA max_page_count = 1000000")
    assert "sourdough" in library.search("bread")[0].text
    assert library.index(articles).failed == ()
    assert library.status().documents == 4


def test_another_model_is_refused(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> None:
    """The error names both models and what to do."""
    Library.open(tmp_path / "library", embedder=embedder).close()
    other = SentenceTransformerEmbedder(PackagedModel("other", MINILM.folder, "abc", 384, 256, ""))
    with pytest.raises(LibraryMismatch, match=r"all-MiniLM-L6-v2 .*other .*--library"):
        Library.open(tmp_path / "library", embedder=other)


def test_another_format_is_refused(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> None:
    """A library of a later version is not touched."""
    Library.open(tmp_path / "library", embedder=embedder).close()
    with sqlite3.connect(tmp_path / "library" / "library.db") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'format'")
    with pytest.raises(LibraryMismatch, match="format 99"):
        Library.open(tmp_path / "library", embedder=embedder)


def test_no_library_there(tmp_path: Path) -> None:
    """Asked not to create one, or pointed at other files: nothing is made."""
    with pytest.raises(LibraryNotFound, match="rag index PATH"):
        Library.open(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()
    (tmp_path / "letter.txt").write_text("Dear all")
    with pytest.raises(LibraryNotFound, match="contains other files"):
        Library.open(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_store_that_is_none(tmp_path: Path) -> None:
    """A file that isn't SQLite is damage, said in words."""
    (tmp_path / "library.db").write_bytes(b"not a database, but long enough to be one" * 50)
    with pytest.raises(LibraryDamaged, match="is not a rag library"):
        Library.open(tmp_path)
