"""Files that did not change and are read again, and passages that are not embedded again."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import pytest
from commands import rag
from hashing_embedder import HashingEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from rag import Library
from rag.documents.registry import ReadOptions
from rag.documents.sandbox.reader import ReadFile
from rag.index.records import Source
from rag.index.sqlite.database import Database
from rag.index.sqlite.reader import StoreReader
from rag.index.sqlite.writer import StoreWriter
from rag.ingest import run as ingestion_module
from rag.ingest import run_state
from rag.ingest.passage_encoder import Encoder
from rag.models.embedder import SentenceTransformerEmbedder
from rag.runtime.heartbeat import Beat
from rag.text.chunking import passages
from rag.types import Document, Failure, Passage, PassageEncoding

STORY = "\n\n".join(
    f"The ship number {n} left harbour {n * 7} with a crew of {n + 11} sailors, and nobody saw it"
    f" again before winter number {n % 5} had come and gone. " * 4
    for n in range(40)
)


def a_document(name: str, text: str) -> Document:
    """A document with this text."""
    return Document(id=name * 20, source=f"/{name}.txt", title=name, text=text, digest=name * 64)


def held(library: Library) -> dict[str, dict[str, np.ndarray]]:
    """Everything that the store has of every passage, by its id."""
    with sqlite3.connect(library.path / "library.db") as connection:
        rows = connection.execute(
            "SELECT id, vectors, counts, pieces, bits, text FROM passage"
            " JOIN encoding ON encoding.passage = passage.key"
        ).fetchall()
    return {row[0]: row[1:] for row in rows}


def test_edited_document_embeds_only_what_is_new(
    tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """The library is then the same, byte for byte, as one that never saw the earlier version."""
    story = tmp_path / "story.txt"
    story.write_text(STORY)
    with Library.open(tmp_path / "edited", embedder=embedder) as edited:
        first = edited.index(story)
        changed = STORY.replace("ship number 20 left", "submarine number 20 left", 1)
        story.write_text(changed)
        second = edited.index(story)
        assert first.embedded > 10
        assert (first.reused, second.embedded + second.reused) == (0, first.embedded)
        assert 0 < second.embedded <= 3
        with Library.open(tmp_path / "fresh", embedder=embedder) as fresh:
            fresh.index(story)
            assert_same_but_for_rounding(held(edited), held(fresh))


def assert_same_but_for_rounding(
    one: dict[str, dict[str, np.ndarray]], other: dict[str, dict[str, np.ndarray]]
) -> None:
    """The vectors of one text differ in the last digit with the batch that it went in."""
    assert one.keys() == other.keys()
    for id_, (vectors, counts, pieces, _, text) in one.items():
        expected, *others = other[id_]
        assert (counts, pieces, text) == (others[0], others[1], others[3])
        a, b = np.frombuffer(vectors, np.float16), np.frombuffer(expected, np.float16)
        np.testing.assert_allclose(a.astype(float), b.astype(float), atol=1e-3)


@settings(max_examples=25)
@given(texts=st.lists(st.sampled_from(["One whale. Two.", "One whale.", "Bread."]), min_size=1))
def test_encodings_are_those_of_the_model(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    """Whatever was encoded before: the same as from the model, in the same order."""
    folder = tmp_path_factory.mktemp("store")
    model = HashingEmbedder()
    Database.create(folder / "library.db", model.fingerprint)
    database = Database(folder / "library.db", model.dimension)
    try:
        reader, writer = StoreReader(database), StoreWriter(database)
        old = a_document("a", texts[0])
        broken = passages(old, model)
        writer.put(old, Source(old.source, old.source, old.id), broken, model.passages(broken))
        asked: list[Passage] = [
            one for n, text in enumerate(texts) for one in passages(a_document(str(n), text), model)
        ]
        encoder = Encoder(model, reader)
        found = list(encoder.begin(asked))
        encoder.close()
    finally:
        database.close()
    for got, expected in zip(found, model.passages(asked), strict=True):
        assert_equal(got, expected)
    assert encoder.embedded == len({one.text for one in asked} - {texts[0]})
    assert encoder.embedded + encoder.reused == len(asked)


def assert_equal(got: PassageEncoding, expected: PassageEncoding) -> None:
    """Equal, but for the store's float16."""
    np.testing.assert_allclose(got.sentences, expected.sentences, atol=1e-3)
    np.testing.assert_array_equal(got.counts, expected.counts)
    np.testing.assert_array_equal(got.pieces, expected.pieces)
    np.testing.assert_array_equal(got.bits, expected.bits)


def test_same_words_with_other_sentences_are_encoded_anew(
    tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """In one document two lines are two paragraphs, in the other they are one sentence."""
    (tmp_path / "two.txt").write_text("The turret\n\nis from Ghent.")
    (tmp_path / "list.md").write_text("The turret\n\nis from Ghent.")
    (tmp_path / "one.txt").write_text("The turret\nis from Ghent.")
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        report = library.index([tmp_path / "two.txt", tmp_path / "one.txt"])
        assert (report.embedded, report.reused) == (2, 0)


def test_a_better_reader_reads_again(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it reads alike stays untouched; what it reads otherwise is replaced, id and all."""
    library.index(articles)
    before = library.search("turret from Ghent")[0]
    generation, held_before = library.status().generation, held(library)
    monkeypatch.setattr(run_state, "READING", run_state.READING + 1)
    again = library.index(articles)
    assert (len(again.unchanged), again.updated, again.embedded) == (3, (), 0)
    assert held(library) == held_before

    # As an earlier reader might have left it: with another text, and a passage of it.
    with sqlite3.connect(library.path / "library.db") as connection:
        connection.execute(
            "UPDATE document SET title = 'Tnaks' WHERE id = ?", (before.document_id,)
        )
    monkeypatch.setattr(run_state, "READING", run_state.READING + 1)
    third = library.index(articles)
    assert (third.updated, len(third.unchanged)) == ((str(articles / "tanks.txt"),), 2)
    assert (third.embedded, third.reused) == (0, 1)
    after = library.search("turret from Ghent")[0]
    assert (after.title, after.document_id) == (before.title, before.document_id)
    assert library.status().passages == 3
    assert library.status().generation > generation
    assert len(library.index(articles).unchanged) == 3


def test_retry_reads_what_failed(library: Library, tmp_path: Path) -> None:
    """A file that failed is left alone until it changes, or until it is asked for."""
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and no more")
    library.index(broken)
    with sqlite3.connect(library.path / "library.db") as connection:
        connection.execute(
            """UPDATE file SET failures = '[["/broken.pdf", "no time", "unreadable"]]'"""
        )
    assert [one.reason for one in library.index(broken).failed] == ["no time"]
    assert ["damaged" in one.reason for one in library.index(broken, retry=True).failed] == [True]


def test_again_reads_what_did_not_change(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file is read and no other; its copy neither answers for it nor is lost."""
    copy = articles / "copy.txt"
    copy.write_bytes((articles / "tanks.txt").read_bytes())
    library.index(articles)
    generation, held_before = library.status().generation, held(library)
    read: list[Path] = []
    reading = ingestion_module.read
    monkeypatch.setattr(
        ingestion_module, "read", lambda paths, **rest: read.extend(paths) or reading(paths, **rest)
    )
    library.index(articles / "tanks.txt")
    assert read == []
    report = library.index(articles / "tanks.txt", again=True)
    assert read == [articles / "tanks.txt"]
    assert (report.unchanged, report.embedded) == ((str(articles / "tanks.txt"),), 0)
    assert held(library) == held_before
    assert library.status().documents == 3
    # A new file with the same words is no reason to trust what was read elsewhere.
    (articles / "third.txt").write_bytes(copy.read_bytes())
    assert library.index(articles, again=True).added == (str(articles / "third.txt"),)
    assert len(read) == 6
    assert library.status().generation > generation


def test_again_on_the_command_line(articles: Path, tmp_path: Path) -> None:
    """What did not change is counted as updated where it had been read otherwise."""
    command = ["index", articles, "--library", tmp_path / "library"]
    assert rag(*command, folder=tmp_path).returncode == 0
    with sqlite3.connect(tmp_path / "library" / "library.db") as connection:
        connection.execute("UPDATE document SET title = 'Tnaks' WHERE text LIKE '%Ghent%'")
    for option, counts in ([], ["unchanged 3"]), (["--again"], ["updated 1", "unchanged 2"]):
        run = rag(*command, *option, folder=tmp_path)
        assert run.returncode == 0
        for count in counts:
            assert count in " ".join(run.stdout.split())


@pytest.mark.parametrize("broken", ["letters.zip", "letters.zip/may.txt"])
def test_what_cant_be_read_again_stays(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """A file that did not change loses no document, though only one in it can be read now."""
    file = tmp_path / "letters.zip"
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("april.txt", "In April the heron came back to Aldmoor.")
        packed.writestr("may.txt", "In May the well of Aldmoor ran dry.")
    library.index(file)
    assert library.status().documents == 2

    def reading(
        paths: Sequence[Path], *, options: ReadOptions, beat: Beat
    ) -> Generator[tuple[Path, Document] | ReadFile]:
        for one in really(paths, options=options, beat=beat):
            if isinstance(one, ReadFile):
                failure = Failure(str(tmp_path / broken), "the parser crashed")
                yield ReadFile(one.path, (failure,), one.seconds)
            elif isinstance(one, tuple) and one[1].source.endswith("april.txt"):
                yield one

    really = ingestion_module.read
    monkeypatch.setattr(ingestion_module, "read", reading)
    report = library.index(file, again=True)
    reason = "the parser crashed; its earlier version stays in the library"
    assert [one.reason for one in report.failed] == [reason]
    assert report.removed == ()
    assert library.search("When did the well run dry?")[0].source == str(file / "may.txt")
    (told,) = library.report()
    assert (told.documents, told.status) == (2, "partly")
    monkeypatch.setattr(ingestion_module, "read", really)
    assert library.index(file, again=True).failed == ()
    # A file that changed is another matter: what it has no more is gone.
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("april.txt", "In April the heron came back to Aldmoor.")
    assert library.index(file).removed == (str(file / "may.txt"),)


def test_what_lies_in_the_librarys_folder_outlasts_the_folders_above(
    tmp_path: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """A file that was put there is named by itself; following a folder above doesn't drop it."""
    (tmp_path / "note.txt").write_text("The heron counts frogs.")
    with Library.open(tmp_path / ".rag", embedder=embedder) as library:
        own = library.path / "files" / "well.txt"
        own.parent.mkdir()
        own.write_text("The well was dug by hand.")
        assert library.index(own).added == (str(own),)
        report = library.index(tmp_path)
        assert (report.added, report.removed) == ((str(tmp_path / "note.txt"),), ())
        assert library.status().documents == 2
