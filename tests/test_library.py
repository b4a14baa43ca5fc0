"""A library from outside: index, change, search, remove, with the real model."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import rag.reading
from rag import (
    DocumentNotFound,
    EmptyQuestion,
    InputError,
    Library,
    LibraryBusy,
    LibraryDamaged,
    LibraryError,
    LibraryMismatch,
    LibraryNotFound,
    Progress,
    SourceNotFound,
)
from rag.embedding import MINILM, PackagedModel, SentenceTransformerEmbedder
from rag.types import Passage, PassageEncoding

TANKS = "date 2024-01-02\n\nThe turret of the tank comes from Ghent. It weighs three tons."
BREAD = "Bake the sourdough bread for forty minutes. Let it rest on a rack."
WHALES = "Blue whales sing at twenty hertz. Their songs carry for a thousand miles."


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A folder of three articles."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "tanks.txt").write_text(TANKS)
    (folder / "bread.txt").write_text(BREAD)
    (folder / "deep").mkdir()
    (folder / "deep" / "whales.md").write_text(f"# Whales\n\n{WHALES}")
    return folder


@pytest.fixture
def library(tmp_path: Path, embedder: SentenceTransformerEmbedder) -> Iterator[Library]:
    """An empty library."""
    with Library.open(tmp_path / "library", embedder=embedder) as library:
        yield library


@contextmanager
def library_without_reading() -> Iterator[None]:
    """Reading any file is an error."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rag.reading, "COMMAND", ("false",))
        yield


def answers(library: Library, question: str) -> list[str]:
    """The marked sentences, best first."""
    return [hit.answer.text for hit in library.search(question)]


QUESTIONS = {
    "Which company supplies the turret of the Zorawar light tank?": "John Cockerill Defence",
    "Who led the Belgian Economic Mission to India?": "Princess Astrid",
    "What will Belgium appoint at its embassy in New Delhi?": "Defence Attaché",
    "When is the defence cooperation framework expected?": "the end of the year",
    "Which areas beyond defence does the partnership cover?": "clean energy, trade",
}


@pytest.mark.parametrize(("question", "answer"), QUESTIONS.items())
def test_seed_questions(seeds: Library, question: str, answer: str) -> None:
    """The first hit's marked sentence answers, and says where it stands."""
    hit = seeds.search(question)[0]
    assert answer in hit.answer.text
    assert hit.date == dt.date(2025, 3, 5)
    assert hit.title.startswith("India and Belgium are actively exploring defence cooperation")
    text = seeds.document(hit.document_id).text
    assert text[hit.start : hit.end] == hit.text
    assert text[hit.answer.start : hit.answer.end] == hit.answer.text


def test_scores_and_reasons(seeds: Library) -> None:
    """Scores fall, lie in [0, 1], and the reasons name the words that matched."""
    hits = seeds.search("Which company supplies the gun turret?", k=3)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    why = hits[0].why
    assert (why.meaning_rank, why.words_rank) == (1, 1)
    assert {"company", "supplying", "gun", "turret"} <= set(why.matched)


def test_foreign_question_scores_low(seeds: Library) -> None:
    """Nothing in the articles is about bread, and the scores show it."""
    known = seeds.search("Who led the Belgian Economic Mission to India?")[0]
    foreign = seeds.search("How long does sourdough bread bake?")[0]
    assert foreign.score < known.score / 2


def test_same_question_same_answer(seeds: Library) -> None:
    """Two runs agree to the last digit."""
    question = "What do Belgian companies want?"
    assert seeds.search(question) == seeds.search(question)


def test_fewer_hits_are_the_first_of_more(seeds: Library) -> None:
    """Asking for more changes nothing about the best."""
    question = "maritime security"
    assert seeds.search(question, k=1) == seeds.search(question, k=3)[:1]


@pytest.mark.parametrize("question", ["", "   ", "?!…"])
def test_empty_question(seeds: Library, question: str) -> None:
    """A question without a word is refused in words."""
    with pytest.raises(EmptyQuestion, match="ask in plain words"):
        seeds.search(question)


def test_no_hits_wanted(seeds: Library) -> None:
    """At least one hit must be asked for."""
    with pytest.raises(InputError, match="at least 1"):
        seeds.search("tank", k=0)


def test_empty_library_finds_nothing(library: Library) -> None:
    """Before anything is indexed there are no hits, and that is no error."""
    assert library.search("tank") == []
    assert library.status().passages == 0


def test_index_reports_and_finds(library: Library, articles: Path) -> None:
    """What goes in is reported by path and found."""
    report = library.index(articles)
    assert set(report.added) == {
        str(articles / name) for name in ("tanks.txt", "bread.txt", "deep/whales.md")
    }
    assert (report.updated, report.removed, report.failed) == ((), (), ())
    assert report.embedded == 3
    assert answers(library, "Where is the tank's turret from?")[0] == (
        "The turret of the tank comes from Ghent."
    )
    hit = library.search("How low do whales sing?")[0]
    assert (hit.title, hit.headings, hit.answer.text) == (
        "Whales",
        ("Whales",),
        "Blue whales sing at twenty hertz.",
    )
    status = library.status()
    assert (status.documents, status.passages, status.sentences) == (3, 3, 7)


def test_nothing_changed_embeds_nothing(library: Library, articles: Path) -> None:
    """A second run, a touched file, and another library object leave everything as it is."""
    library.index(articles)
    before = library.search("whales")
    os.utime(articles / "bread.txt", (1, 1))
    report = library.index([articles])
    assert (report.embedded, len(report.unchanged), report.added) == (0, 3, ())
    assert library.search("whales") == before


def test_changed_file_replaces_its_passages(library: Library, articles: Path) -> None:
    """The old words are gone from both indexes, the new ones are there."""
    library.index(articles)
    (articles / "tanks.txt").write_text("The cannon is from Zaventem.")
    report = library.index(articles)
    assert report.updated == (str(articles / "tanks.txt"),)
    assert report.embedded == 1
    assert answers(library, "Where is the cannon from?")[0] == "The cannon is from Zaventem."
    assert all("Ghent" not in hit.text for hit in library.search("turret Ghent"))
    assert library.status().documents == 3


def test_vanished_file_goes(library: Library, articles: Path) -> None:
    """Its passages go; files outside the folder that was indexed stay."""
    library.index(articles)
    (articles / "deep" / "whales.md").unlink()
    assert library.index(articles / "deep").removed == (str(articles / "deep" / "whales.md"),)
    assert library.status().documents == 2
    assert all("hertz" not in hit.text for hit in library.search("whales sing hertz"))


def test_moved_file_embeds_nothing(library: Library, articles: Path) -> None:
    """The same content under another name is the same document."""
    library.index(articles)
    before = library.search("bread")[0].document_id
    (articles / "bread.txt").rename(articles / "loaf.txt")
    report = library.index(articles)
    assert (report.embedded, report.added, report.removed) == (
        0,
        (str(articles / "loaf.txt"),),
        (str(articles / "bread.txt"),),
    )
    hit = library.search("bread")[0]
    assert (hit.document_id, hit.source) == (before, str(articles / "loaf.txt"))


def test_files_that_change_places(library: Library, articles: Path) -> None:
    """Each holds the other's document now; nothing is embedded and nothing is lost."""
    library.index(articles)
    (articles / "bread.txt").rename(articles / "third.txt")
    (articles / "tanks.txt").rename(articles / "bread.txt")
    (articles / "third.txt").rename(articles / "tanks.txt")
    report = library.index(articles)
    assert (report.embedded, len(report.updated), report.removed) == (0, 2, ())
    assert library.search("sourdough bread")[0].source == str(articles / "tanks.txt")
    assert library.search("turret from Ghent")[0].source == str(articles / "bread.txt")
    assert library.status().documents == 3


def test_same_content_twice_is_one_document(library: Library, articles: Path) -> None:
    """It is embedded once, found once, and names both files; one goes, the other stays."""
    (articles / "copy.txt").write_text(BREAD)
    report = library.index(articles)
    assert (report.embedded, len(report.added)) == (3, 4)
    (hit, *others) = library.search("How long to bake bread?")
    assert hit.source == str(articles / "bread.txt")
    assert hit.also_in == (str(articles / "copy.txt"),)
    assert all(other.document_id != hit.document_id for other in others)
    (articles / "bread.txt").unlink()
    library.index(articles)
    hit = library.search("How long to bake bread?")[0]
    assert (hit.source, hit.also_in) == (str(articles / "copy.txt"), ())


def test_same_passage_in_two_documents_is_folded(library: Library, articles: Path) -> None:
    """Documents that differ, with a passage that does not."""
    (articles / "note.txt").write_text(f"date 2020-05-06\n{BREAD.upper()}")
    library.index(articles)
    hits = library.search("How long to bake bread?")
    assert sum("bread" in hit.text.lower() for hit in hits) == 1
    assert {hits[0].source, *hits[0].also_in} == {
        str(articles / "bread.txt"),
        str(articles / "note.txt"),
    }


def test_bad_files_stop_nothing(library: Library, articles: Path) -> None:
    """Each is reported with its reason, and the others are in."""
    (articles / "empty.txt").write_bytes(b"")
    (articles / "junk.txt").write_bytes(bytes(range(256)) * 20)
    (articles / "picture.png").write_bytes(b"\x89PNG")
    bad_name = os.fsencode(articles) + b"/caf\xe9.txt"
    Path(os.fsdecode(bad_name)).write_text("Coffee.")
    os.mkfifo(articles / "pipe.txt")
    (articles / "broken-link.txt").symlink_to(articles / "nowhere")
    report = library.index(articles)
    assert len(report.added) == 3
    failed = {Path(one.source).name: one.reason for one in report.failed}
    assert set(failed) == {
        "empty.txt",
        "junk.txt",
        "pipe.txt",
        "broken-link.txt",
        "caf\\udce9.txt",
    }
    assert "UTF-8" in failed["caf\\udce9.txt"]
    assert [Path(one.source).name for one in report.skipped] == ["picture.png"]


def test_file_that_broke_keeps_its_earlier_version(library: Library, articles: Path) -> None:
    """It is reported as failed, and says that the earlier version still answers."""
    library.index(articles)
    (articles / "bread.txt").write_bytes(b"\x00" * 50)
    (failure,) = library.index(articles).failed
    assert "earlier version stays" in failure.reason
    assert "sourdough" in library.search("bread")[0].text


def test_failed_file_is_remembered(library: Library, articles: Path) -> None:
    """It is reported again without being read again, until it changes."""
    bad = articles / "junk.txt"
    bad.write_bytes(b"\x00" * 50)
    first = library.index(articles)
    with library_without_reading():
        second = library.index(articles)
    assert second.failed == first.failed
    assert len(second.unchanged) == 3
    bad.write_text("Now it is text about quarks.")
    assert library.index(articles).added == (str(bad),)


def test_report_by_file(library: Library, articles: Path) -> None:
    """What came of each file, kept with the library."""
    (articles / "junk.txt").write_bytes(b"\x00" * 50)
    library.index(articles)
    found = {Path(one.source).name: one for one in library.report()}
    assert {name: one.status for name, one in found.items()} == {
        "bread.txt": "indexed",
        "junk.txt": "failed",
        "tanks.txt": "indexed",
        "whales.md": "indexed",
    }
    bread = found["bread.txt"]
    assert (bread.documents, bread.passages, bread.characters) == (1, 1, len(BREAD))
    assert bread.languages == ("en",)
    assert bread.seconds > 0
    assert found["junk.txt"].failures[0].source == str(articles / "junk.txt")


def test_filters_hold_before_the_top_is_cut(library: Library, articles: Path) -> None:
    """Each kind of condition, alone and together."""
    (articles / "brot.md").write_text(
        "---\ntitle: Brot\nauthor: Ada\ndate: 2021-03-04\n---\n\n"
        "Das Brot backt man vierzig Minuten im Ofen, bis die Kruste braun ist."
    )
    library.index(articles)

    def found(**conditions: object) -> set[str]:
        hits = library.search("How long do I bake bread?", 50, **conditions)  # type: ignore[arg-type]
        return {Path(hit.source).name for hit in hits}

    everything = {"tanks.txt", "bread.txt", "whales.md", "brot.md"}
    assert found() == everything
    assert found(since=dt.date(2021, 3, 4), until=dt.date(2024, 1, 2)) == {"tanks.txt", "brot.md"}
    assert found(source="*.md") == {"whales.md", "brot.md"}
    assert found(source="deep/*") == {"whales.md"}
    assert found(source=str(articles / "t*")) == {"tanks.txt"}
    assert found(source="[bt]*.txt") == set()
    assert found(title="WHALE") == {"whales.md"}
    assert found(language="de") == {"brot.md"}
    assert found(where={"author": "Ada"}) == {"brot.md"}
    assert found(where={"author": "Ada"}, language="en") == set()


def test_hidden_files_are_left_out(library: Library, articles: Path) -> None:
    """Names that begin with a dot, and the library's own folder inside the articles."""
    (articles / ".secret.txt").write_text("The password is swordfish.")
    (articles / ".git").mkdir()
    (articles / ".git" / "config.txt").write_text("The password is swordfish.")
    with Library.open(articles / "lib", embedder=library._embedder) as inside:
        report = inside.index(articles)
    assert len(report.added) == 3
    assert report.skipped == ()


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
    for summary in library.documents():
        text = library.document(summary.id).text
        for piece in set(library._embedder._tokenizer.encode(text, add_special_tokens=False).ids):
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

    def hold(step: Progress) -> None:
        if step.embedded:
            held.set()
            release.wait(30)

    writer = threading.Thread(target=library.index, args=(articles,), kwargs={"progress": hold})
    writer.start()
    try:
        assert held.wait(30)
        assert library.status().documents > 1
        assert [hit.title for hit in library.search("bread", k=9)] == [
            BREAD.split(".", maxsplit=1)[0] + "."
        ]
        with pytest.raises(LibraryBusy, match="another process is writing"), library._writing(0.1):
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


def test_document_goes_in_whole_or_not_at_all(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model fails in the middle of a document: nothing of it is left, and others can come."""
    library.index(articles / "bread.txt")
    before = library.status()
    real = library._embedder.passages

    def fail_after_one(passages: list[Passage]) -> Iterator[PassageEncoding]:
        yield from real(passages[:1])
        raise MemoryError

    (articles / "long.txt").write_text("\n\n".join(f"Sentence {n} about sand." for n in range(200)))
    with monkeypatch.context() as patched:
        patched.setattr(library._embedder, "passages", fail_after_one)
        with pytest.raises(MemoryError):
            library.index(articles / "long.txt")
    after = library.status()
    assert (after.passages, after.generation) == (before.passages, before.generation)
    assert library.index(articles / "long.txt").embedded > 1


def test_store_that_cannot_be_written(library: Library, articles: Path) -> None:
    """A full disk is said in words, and costs nothing that was committed."""
    library.index(articles / "bread.txt")
    connection = library._database.connection
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
    other = SentenceTransformerEmbedder(PackagedModel("other", MINILM.folder, "abc", 384, 256))
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
    with pytest.raises(LibraryNotFound, match="holds other files"):
        Library.open(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_store_that_is_none(tmp_path: Path) -> None:
    """A file that isn't SQLite is damage, said in words."""
    (tmp_path / "library.db").write_bytes(b"not a database, but long enough to be one" * 50)
    with pytest.raises(LibraryDamaged, match="is no library of rag"):
        Library.open(tmp_path)
