"""Several libraries in one folder: their names, what is seen of each, and what a new name moves."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from rag import InputError, Library, LibraryBusy, LibraryMismatch, LibraryNotFound, NameTaken, Shelf
from rag.index.folder import locked
from rag.library.shelf import named

QUESTION = "How much does a blue whale weigh?"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """A shelf without any library."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    return Shelf(folder)


def filled(shelf: Shelf, name: str, articles: Path) -> None:
    """A library of that name, with three articles."""
    shelf.create(name)
    with shelf.open(name) as library:
        library.index(articles)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Letters", "Letters"),
        ("  two words ", "two words"),
        ("cafe\N{COMBINING ACUTE ACCENT}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("日本の記事", "日本の記事"),
        ("C# 100% a.b?", "C# 100% a.b?"),
        ("a" * 64, "a" * 64),
        ("console", "console"),
    ],
)
def test_names_of_any_language(given: str, kept: str) -> None:
    """Composed, and without blanks around them."""
    assert named(given) == kept


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "needs a name"),
        (" \t", "needs a name"),
        ("a" * 65, "up to 64 characters"),
        (".hidden", "doesn't begin with a dot"),
        ("..", "doesn't begin with a dot"),
        ("a/b", "no slash"),
        ("a\\b", "no slash, no backslash"),
        ("a\nb", "can't be seen"),
        ("a\0b", "can't be seen"),
        ("a\N{LINE SEPARATOR}b", "can't be seen"),
        ("\udcff", "can't be seen"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", "can't be seen"),
        ("a\N{FIRST STRONG ISOLATE}b", "can't be seen"),
        ("a\N{ZERO WIDTH SPACE}b", "can't be seen"),
        ("a\N{SOFT HYPHEN}b", "can't be seen"),
        ("con", "a device"),
        ("LPT1.txt", "a device"),
    ],
)
def test_what_is_no_name(shelf: Shelf, given: str, said: str) -> None:
    """It is refused in words, and nothing is made."""
    with pytest.raises(InputError, match=said):
        shelf.create(given)
    assert list(shelf.folder.iterdir()) == []


def test_a_name_that_no_folder_can_have(shelf: Shelf) -> None:
    """64 characters may be more bytes than the file system takes."""
    with pytest.raises(InputError, match="no folder can be named"):
        shelf.create("𝄞" * 64)


def test_what_is_seen(shelf: Shelf, articles: Path) -> None:
    """Each library with what it holds, in the order of the alphabet; nothing else is one."""
    filled(shelf, "whales", articles)
    shelf.create("Bread")
    (shelf.folder / ".hidden").mkdir()
    (shelf.folder / ".hidden" / "library.db").touch()
    (shelf.folder / "papers").mkdir()
    (shelf.folder / "a.txt").touch()
    assert shelf.names() == ["Bread", "whales"]
    bread, whales = shelf.list()
    assert (bread.documents, bread.passages, bread.newest) == (0, 0, None)
    assert (whales.name, whales.documents, whales.trouble) == ("whales", 3, None)
    assert whales.passages >= 3
    assert whales.newest == dt.date(2024, 1, 2)  # which one of them says


def test_the_time_of_a_file_is_no_date(shelf: Shelf, tmp_path: Path) -> None:
    """It says when the file was saved, and nothing of what stands in it."""
    folder = tmp_path / "undated"
    folder.mkdir()
    (folder / "quokka.txt").write_text("The quokka sleeps in the shade.")
    filled(shelf, "quokkas", folder)
    seen = shelf.look("quokkas")
    assert (seen.documents, seen.newest) == (1, None)


def test_trouble_of_one_is_no_trouble_of_others(shelf: Shelf) -> None:
    """What is damaged, or of another version, is listed with the reason."""
    for name in ("damaged", "newer", "whole"):
        shelf.create(name)
    (shelf.folder / "damaged" / "library.db").write_bytes(b"no database" * 1000)
    newer = sqlite3.connect(shelf.folder / "newer" / "library.db")
    with newer:
        newer.execute("UPDATE meta SET value = '999' WHERE name = 'format'")
    newer.close()
    damaged, later, whole = shelf.list()
    assert "is not a rag library" in str(damaged.trouble)
    assert isinstance(later.trouble, LibraryMismatch)
    assert whole.trouble is None
    assert damaged.documents == 0
    assert "no folder" not in str(damaged.trouble)


def test_a_name_is_taken_once(shelf: Shelf) -> None:
    """By libraries and by whatever else lies there; renaming takes none away, either."""
    shelf.create("letters")
    (shelf.folder / "papers").mkdir()
    for name in ("letters", "papers", " letters "):
        with pytest.raises(NameTaken, match="already"):
            shelf.create(name)
    shelf.create("bread")
    with pytest.raises(NameTaken):
        shelf.rename("bread", "papers")  # an empty folder, which os.rename would replace
    assert shelf.names() == ["bread", "letters"]


def test_only_what_lies_there_is_opened(shelf: Shelf, library: Library) -> None:
    """No name leads out of the folder."""
    assert library.path.parent == shelf.folder.parent
    for name in ("../library", "..", "", ".", str(library.path)):
        with pytest.raises(LibraryNotFound, match="there is no library"):
            shelf.open(name)
        with pytest.raises(LibraryNotFound):
            shelf.rename(name, "mine")


def test_one_model_for_all(shelf: Shelf) -> None:
    """Libraries of the same model share it, so that it is loaded once."""
    shelf.create("a")
    shelf.create("b")
    with shelf.open("a") as a, shelf.open("b") as b:
        assert a._embedder is b._embedder


def test_a_new_name(shelf: Shelf, articles: Path) -> None:
    """The library is found and asked under it, and not under the old one."""
    filled(shelf, "fish", articles)
    assert shelf.rename("fish", " whales ") == "whales"
    assert shelf.names() == ["whales"]
    with shelf.open("whales") as library:
        assert "whale" in library.search(QUESTION)[0].text.lower()
        assert library.index(articles).unchanged != ()
    with pytest.raises(LibraryNotFound):
        shelf.open("fish")
    assert shelf.rename("whales", "whales") == "whales"


def test_files_in_its_folder_go_along(shelf: Shelf) -> None:
    """What was sent lies in the library's own folder: its paths are corrected, wherever kept."""
    shelf.create("old")
    inside = shelf.folder / "old" / "files"
    inside.mkdir()
    (inside / "whale.txt").write_text("The blue whale weighs up to 150 tonnes.")
    (inside / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    with shelf.open("old") as library:
        library.index(sorted(inside.iterdir()))
        hit = library.search(QUESTION)[0]
        library.rate(QUESTION, hit, good=True)
    shelf.rename("old", "new")
    now = shelf.folder / "new" / "files"
    with shelf.open("new") as library:
        assert library.files(hit.document_id) == [now / "whale.txt"]
        assert library.search(QUESTION)[0].source == str(now / "whale.txt")
        assert [one.source for one in library.ratings()] == [str(now / "whale.txt")]
        failures = [one for report in library.report() for one in report.failures]
        assert [one.source for one in failures] == [str(now / "broken.pdf")]
        report = library.index(sorted(now.iterdir()))
        assert (report.added, report.updated, report.removed) == ((), (), ())


def test_a_crash_after_the_folder_was_renamed(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever opens the library next corrects its paths."""
    shelf.create("old")
    inside = shelf.folder / "old" / "files"
    inside.mkdir()
    (inside / "whale.txt").write_text("The blue whale weighs up to 150 tonnes.")
    with shelf.open("old") as library:
        library.index(inside / "whale.txt")

    def crash(folder: Path) -> None:
        if folder.name == "new":
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("rag.library.relocation.settle", crash)
        with pytest.raises(KeyboardInterrupt):
            shelf.rename("old", "new")
    with shelf.open("new") as library:
        assert [one.source for one in library.documents()] == [
            str(shelf.folder / "new" / "files" / "whale.txt")
        ]


def test_what_another_process_writes_keeps_its_name(shelf: Shelf) -> None:
    """It would lose its files under its feet."""
    shelf.create("letters")
    with locked(shelf.folder / "letters"), pytest.raises(LibraryBusy):
        shelf.rename("letters", "mail")
    assert shelf.names() == ["letters"]


def test_a_folder_that_is_none(tmp_path: Path, library: Library) -> None:
    """One that is not there, and one that is a library itself."""
    with pytest.raises(InputError, match="there is no folder"):
        Shelf(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is a library itself"):
        Shelf(library.path)
