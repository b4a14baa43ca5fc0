"""Collections: named parts of a library that are asked alone, on either engine."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import ENGINES, place
from hashing_embedder import HashingEmbedder

from rag import Filter, InputError, Library, SourceNotFound
from rag.library import collections
from rag.maintenance import backup

FILES = {
    "2023/reports/tea.txt": "Tea is grown in Assam.",
    "2023/reports (old)/tin.txt": "Tin is mined in Cornwall.",
    "2024/reports/coffee.txt": "Coffee is grown in Kenya.",
    "2024/reports/dairy/milk.txt": "Milk is drunk in Friesland.",
    "2024/reports.txt": "Salt is boiled in Cheshire.",
    "copies/tea again.txt": "Tea is grown in Assam.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folders with names alike, one inside another, and a copy."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture(params=ENGINES)
def library(request: pytest.FixtureRequest, folder: Path) -> Iterator[Library]:
    """An empty library of each engine."""
    with Library.open(place(request.param, folder), embedder=HashingEmbedder()) as opened:
        yield opened


def counted(library: Library) -> dict[str, int]:
    """The number of documents of each collection."""
    return {one.name: one.documents for one in library.collections()}


def held(library: Library, *names: str) -> list[str]:
    """The files of the documents in some collections, by whatever way one asks."""
    listed = {Path(one.source).name for one in library.documents(collections=names)}
    hits = library.search("What is grown, mined, drunk or boiled?", 50, collections=names)
    asked = library.ask("What is grown, mined, drunk or boiled?", 50, collections=names).hits
    for found in (hits, asked):
        assert {Path(one.source).name for one in found} == listed
    assert library.count_documents(collections=names) == len(listed)
    assert counted(library) == {
        one.name: library.count_documents(collections=[one.name]) for one in library.collections()
    }
    return sorted(listed)


def test_each_folder_is_one(library: Library, folder: Path) -> None:
    """Under its own name, or with that of the folder above where another has it; what lies beside
    it is not in it.
    """
    library.index([folder / "2023" / "reports", folder / "2024" / "reports.txt"])
    library.index([folder / "2024" / "reports", folder / "2023" / "reports (old)"])
    assert counted(library) == {"2024/reports": 2, "reports": 1, "reports (old)": 1}
    assert held(library, "reports") == ["tea.txt"]
    assert held(library, "2024/reports") == ["coffee.txt", "milk.txt"]
    assert held(library, "reports", "reports (old)") == ["tea.txt", "tin.txt"]
    assert len(held(library)) == 5
    assert library.find("grown", collections=["2024/reports"]).passages == 1
    assert library.find("mined", collections=["2024/reports"]).passages == 0
    both = Filter(collections=["reports"], folders=(str(folder / "2023" / "reports (old)"),))
    assert library.count_documents(both) == 2
    assert library.count_documents(both, collections=["2024/reports"]) == 3


def test_a_document_may_be_in_several(library: Library, folder: Path) -> None:
    """One inside the other, and by a second file with the same content."""
    for name in ("2024", "2024/reports/dairy", "2023/reports", "copies"):
        library.index(folder / name)
    assert counted(library) == {"2024": 3, "copies": 1, "dairy": 1, "reports": 1}
    assert held(library, "2024") == ["coffee.txt", "milk.txt", "reports.txt"]
    assert held(library, "dairy") == ["milk.txt"]
    assert held(library, "copies") == held(library, "reports")
    assert library.remove(collections=["dairy"]) == []  # all of it is in 2024, too
    assert library.remove(collections=["reports"]) == [str(folder / "2023/reports/tea.txt")]
    assert counted(library) == {"2024": 3, "copies": 1}
    assert held(library, "copies") == ["tea again.txt"]
    assert library.remove(collections=["2024", "copies"]) != []
    assert (counted(library), library.count_documents()) == ({}, 0)


def test_names_are_given(library: Library, folder: Path) -> None:
    """To folders and files, new ones and those that had another; several share one."""
    tea, coffee = folder / "2023" / "reports", folder / "2024" / "reports" / "coffee.txt"
    library.index(tea)
    library.index([tea, coffee], collection="  Drinks ")
    assert counted(library) == {"Drinks": 2}
    library.index([tea, coffee])  # keeps its name
    assert held(library, "Drinks") == ["coffee.txt", "tea.txt"]
    library.index(tea, collection="Tea")
    assert counted(library) == {"Drinks": 1, "Tea": 1}


@pytest.mark.parametrize(
    "name", ["", " ", "\u200c", "x" * 65, "a\nb", "a\u202eb", "a\x1b[2Jb", "\ud800", 5]
)
def test_names_that_are_none(library: Library, folder: Path, name: str) -> None:
    """Nothing is indexed under one, and nothing is asked."""
    with pytest.raises(InputError, match="collection"):
        library.index(folder / "2023", collection=name)
    assert library.count_documents() == 0
    with pytest.raises(InputError, match="collection"):
        library.ask("What is grown?", collections=[name])


def test_a_folder_whose_name_is_no_name(library: Library, tmp_path: Path) -> None:
    """What can't be seen is replaced, but for the joiners with which words are spelt; uploads keep
    their name.
    """
    for name in ("a\u202e\n" + "b" * 80, "क्\u200dष", "uploads"):
        (tmp_path / "odd" / name).mkdir(parents=True)
        (tmp_path / "odd" / name / "tea.txt").write_text("Tea is grown in Assam.")
        library.index(tmp_path / "odd" / name)
    assert counted(library) == {"b" * 64: 1, "odd/uploads": 1, "क्\u200dष": 1}
    assert held(library, "क्\u200dष") == ["tea.txt"]


def test_a_collection_that_there_is_not(library: Library, folder: Path) -> None:
    """The error names those that there are, the nearest first."""
    with pytest.raises(InputError, match="“tea”, nor any other"):
        library.ask("What is grown?", collections=["tea"])
    library.index([folder / "2023" / "reports", folder / "copies"])
    with pytest.raises(InputError, match="“copy”; there are “copies”, “reports”"):
        library.find("grown", collections=["copy", "reports"])
    with pytest.raises(InputError, match="“copy”"):
        library.remove([folder / "copies"], collections=["copy"])
    with pytest.raises(SourceNotFound):
        library.remove([folder / "none"], collections=["copies"])
    assert counted(library) == {"copies": 1, "reports": 1}


def test_a_folder_that_is_removed_leaves_its_collection(library: Library, folder: Path) -> None:
    """Also one that lies in it; others stay, even empty ones."""
    library.index([folder / "2024", folder / "2024" / "reports" / "dairy", folder / "copies"])
    library.remove([folder / "copies" / "tea again.txt"])
    assert counted(library) == {"2024": 3, "copies": 0, "dairy": 1}
    library.remove([folder / "2024"])
    assert counted(library) == {"copies": 0}
    assert held(library, "copies") == []


def test_counts_are_made_once_a_generation(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often somebody looks; and again when something changed."""
    library.index([folder / "2023", folder / "2024"])
    sources, calls = library.engine.reader.sources, []
    monkeypatch.setattr(
        type(library.engine.reader), "sources", lambda _: calls.append(1) or sources()
    )
    for _ in range(3):
        assert counted(library) == {"2023": 2, "2024": 3}
    assert len(calls) == 1
    monkeypatch.undo()
    (folder / "2023" / "new.txt").write_text("Rye is grown in Poland.")
    library.index(folder / "2023")
    assert counted(library) == {"2023": 3, "2024": 3}


@pytest.mark.parametrize(
    "note",
    ["no JSON", "[1]", '{"/a": 1}', '{"/a": "a\\u202eb"}', "[" * 100_000, "null"],
    ids=["no JSON", "a list", "a number", "a reversed name", "nested", "null"],
)
def test_a_note_that_rag_never_wrote(library: Library, folder: Path, note: str) -> None:
    """An imported library may have one: nothing in it is shown, and the next run replaces it."""
    library.engine.notes.keep("collections", note)
    assert counted(library) == {}
    library.index(folder / "copies")
    assert counted(library) == {"copies": 1}


def test_a_note_of_folders_without_end(library: Library, folder: Path) -> None:
    """An imported library may have one: the first thousand are looked at, in one pass, and no
    further one is added until there are fewer.
    """
    library.index(folder / "2024", collection="mine")
    noted = {str(folder / "2024"): "mine", "/\ud800": "no text"}
    noted |= {f"/x/{n}": f"n{n}" for n in range(200_000)}
    library.engine.notes.keep("collections", json.dumps(noted))
    began = time.process_time()
    found = counted(library)
    assert time.process_time() - began < 5
    assert (len(found), found["mine"], found["n0"]) == (collections.MOST_FOLDERS - 1, 3, 0)
    library.index(folder / "2023")
    with pytest.raises(InputError, match="up to 1,000 folders, and these would be 1,001"):
        library.index(folder / "copies")
    assert library.count_documents() == 5
    library.remove([folder / "2023"])
    library.index(folder / "copies")
    assert counted(library)["copies"] == 1


def test_counts_are_those_of_the_filter(library: Library, folder: Path) -> None:
    """Whatever folders a note has: one with a separator at its end, the root, a file, a relative
    one, one of another system; and a document in parts is one.
    """
    (folder / "parts.txt").write_text("The keeper writes a letter.\n\n" * 40_000)
    library.index(folder)
    places = ("", "/2024", "/2024/", "/2024/rep", "/2024/reports.txt", "/2024/reports.txt/")
    noted = {f"{folder}{one}": f"at{one}" for one in places}
    noted |= {"/": "root", "//": "roots", "": "none", "C:\\2024": "C", str(folder)[1:]: "relative"}
    noted |= {f"{folder}/2024/reports": "two", f"{folder}/copies": "two", f"{folder}\\": "back"}
    library.engine.notes.keep("collections", json.dumps(noted))
    found = counted(library)
    assert (found["at"], found["at/2024"], found["two"], found["C"]) == (6, 3, 3, 0)
    assert found == {name: library.count_documents(collections=[name]) for name in found}


def test_uploads_are_one(folder: Path) -> None:
    """They lie in the library's own folder, and are a collection wherever that goes."""
    with Library.open(folder / "library", embedder=HashingEmbedder()) as library:
        (library.path / "files").mkdir()
        shutil.copy(folder / "2024" / "reports.txt", library.path / "files" / "salt.txt")
        library.index([library.path / "files" / "salt.txt", folder / "2023" / "reports"])
        assert counted(library) == {"reports": 1, "uploads": 1}
        assert held(library, "uploads") == ["salt.txt"]
        with pytest.raises(InputError, match="collection of uploaded files"):
            library.index(folder / "copies", collection="uploads")
    archive = folder / "one.rag.zip"
    backup.export(folder / "library", archive, lambda *_: None)
    backup.import_archive(archive, folder / "elsewhere", lambda *_: None)
    with Library.open(folder / "elsewhere", embedder=HashingEmbedder()) as library:
        assert held(library, "uploads") == ["salt.txt"]


def test_a_shared_librarys_archive_has_them(folder: Path) -> None:
    """In either direction."""
    url, archive = place("shared", folder), folder / "one.rag.zip"
    with Library.open(url, embedder=HashingEmbedder()) as library:
        library.index(folder / "2024", collection="This year")
        kept = library.collections()
        assert [one.folders for one in kept] == [(str(folder / "2024"),)]
    backup.export(str(url), archive, lambda *_: None, embedder=HashingEmbedder())
    backup.import_archive(archive, folder / "here", lambda *_: None)
    with Library.open(folder / "here", embedder=HashingEmbedder()) as library:
        assert library.collections() == kept
    again = f"{url}-again"
    backup.import_archive(archive, again, lambda *_: None, embedder=HashingEmbedder())
    with Library.open(again, embedder=HashingEmbedder()) as library:
        assert library.collections() == kept


def test_a_name_is_no_list_of_names() -> None:
    """Its letters would be taken for names."""
    for name in ("reports", 5):
        with pytest.raises(InputError, match=rf"a list of names: \[{name!r}\]"):
            Filter(collections=name)
