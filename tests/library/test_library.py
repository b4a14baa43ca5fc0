"""A library from outside: open, search, index, with the real model."""

from __future__ import annotations

import datetime as dt
import os
import zipfile
from pathlib import Path

import pytest
from three_articles import BREAD, QUESTIONS, answers, library_without_reading

from rag import EmptyQuestion, InputError, Library


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


def test_a_passage_is_in_the_language_of_its_document(library: Library, tmp_path: Path) -> None:
    """Unknown for a text too short to tell; a passage that isn't there has none."""
    texts = {
        "de.txt": "Der Bus fährt jede halbe Stunde, am Sonntag nur jede volle Stunde.",
        "en.txt": "The museum opens at ten in the morning and closes at six.",
        "short.txt": "Oslo 12",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    library.index(tmp_path)
    searcher = library.engine.searcher()
    keys = [searcher.matching(word).tolist()[0] for word in ("Bus", "museum", "Oslo")]
    found = searcher.languages([*keys, max(keys) + 1])
    assert [found.pop(key) for key in keys] == ["de", "en", None]
    assert not found


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
    (articles / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (articles / "song.mp3").write_bytes(b"ID3\x04\x00\x00")
    bad_name = os.fsencode(articles) + b"/caf\xe9.txt"
    Path(os.fsdecode(bad_name)).write_text("Coffee.")
    os.mkfifo(articles / "pipe.txt")
    (articles / "broken-link.txt").symlink_to(articles / "nowhere")
    report = library.index(articles)
    assert len(report.added) == 3
    failed = {Path(one.source).name: one.reason for one in report.failed}
    names = ("empty.txt", "junk.txt", "picture.png", "pipe.txt", "broken-link.txt")
    assert set(failed) == {*names, "caf\\udce9.txt"}
    assert "UTF-8" in failed["caf\\udce9.txt"]
    assert [Path(one.source).name for one in report.skipped] == ["song.mp3"]


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


def test_report_by_the_page(library: Library, articles: Path) -> None:
    """By status, which a file in an archive may make that of the whole; counted in the same way."""
    (articles / "junk.txt").write_bytes(b"\x00" * 50)
    (articles / "page.txt").write_text("<!doctype html><html><body><p>A page.</p></body></html>")
    with zipfile.ZipFile(articles / "letters.zip", "w") as packed:
        packed.writestr("april.txt", "In April the heron came back to Aldmoor.")
        packed.writestr("junk.txt", b"\x00" * 50)
    with zipfile.ZipFile(articles / "songs.zip", "w") as packed:
        packed.writestr("song.mp3", b"ID3\x04\x00\x00")
    library.index(articles)
    whole = library.report()
    assert [one.source for one in whole] == sorted(one.source for one in whole)
    for status, number in (("indexed", 4), ("partly", 1), ("failed", 1), ("skipped", 1)):
        expected = [one for one in whole if one.status == status]
        assert library.report(status) == expected
        assert library.count_files(status) == len(expected) == number
    assert library.report("indexed", offset=1, limit=2) == library.report("indexed")[1:3]
    assert library.report(offset=4, limit=9) == whole[4:]
    assert library.count_files() == len(whole)
    failures, doubts = library.unread()
    assert list(failures) == [failure for one in whole for failure in one.failures]
    assert [(one.source, one.reason) for one in doubts] == [
        (one.source, line) for one in whole for line in one.warnings
    ]
    assert [Path(one.source).name for one in doubts] == ["page.txt"]


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
