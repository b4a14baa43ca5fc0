"""From a shared library into a folder and back: what is found is the same, and how it is scored."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
from hashing_embedder import HashingEmbedder
from three_articles import library_without_reading

from rag import InputError, Library, LibraryDamaged, LibraryNotFound
from rag.cluster.lance.writer import SharedWriter
from rag.maintenance import backup

QUESTIONS = ("What does the turret weigh?", "How low do whales sing?", '"sourdough" -tank')


def quietly(*_: object) -> None:
    """Told how far it is."""


def filled(place: str | Path, articles: Path) -> Library:
    """A library with two sources of one document, a failure, a rating and a ranking."""
    (articles / "again.txt").write_bytes((articles / "tanks.txt").read_bytes())
    (articles / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    library = Library.open(place, embedder=HashingEmbedder())
    library.index(articles)
    library.rate(QUESTIONS[0], library.search(QUESTIONS[0])[0], good=True)
    library.check(5)
    return library


def rounded(value: object) -> object:
    """Without the digits by which two engines differ: one of them counts in single precision."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, tuple):
        return tuple(map(rounded, value))
    if is_dataclass(value):
        return {one.name: rounded(getattr(value, one.name)) for one in fields(value)}
    return value


def told(library: Library) -> object:
    """All that people see of a library."""
    return (
        [rounded(library.ask(question)) for question in QUESTIONS],
        library.documents(),
        [library.document(one.id) for one in library.documents()],
        [library.sources(one.id) for one in library.documents()],
        library.report(),
        rounded(tuple(library.ratings())),
        library.last_check(),
        library.facets(),
    )


@pytest.mark.parametrize("to_a_folder", [True, False], ids=["to a folder", "to a URL"])
def test_the_copy_tells_the_same(tmp_path: Path, articles: Path, *, to_a_folder: bool) -> None:
    """Of documents, files, ratings, and of every question, to six digits of each score; and a run
    over the same files has nothing to do.
    """
    archive, url = tmp_path / "articles.rag.zip", f"file://{tmp_path}/shared"
    place: str | Path = tmp_path / "folder"
    with filled(url if to_a_folder else place, articles) as library:
        before = told(library)
    if to_a_folder:
        found = backup.export(url, archive, quietly, embedder=HashingEmbedder())
        assert found.documents == 3
        backup.import_archive(archive, Path(place), quietly)
    else:
        backup.export(Path(place), archive, quietly)
        assert (
            backup.import_archive(archive, url, quietly, embedder=HashingEmbedder()).documents == 3
        )
        place = url
    with Library.open(place, create=False, embedder=HashingEmbedder()) as copy:
        assert told(copy) == before
        assert copy.verify().problems == ()
        with library_without_reading():
            assert len(copy.index(articles).unchanged) == 4
    assert {one.name for one in tmp_path.iterdir()} <= {
        *("articles", "articles.rag.zip", "folder", "shared")
    }


def test_what_cannot_be(tmp_path: Path, articles: Path) -> None:
    """Nothing is written over, and what is no archive makes no library."""
    archive, url = tmp_path / "articles.rag.zip", f"file://{tmp_path}/shared"
    with pytest.raises(LibraryNotFound, match=f"rag index PATH --library {url}"):
        backup.export(url, archive, quietly, embedder=HashingEmbedder())
    filled(url, articles).close()
    backup.export(url, archive, quietly, embedder=HashingEmbedder())
    with pytest.raises(InputError, match="overwrite it: --force"):
        backup.export(url, archive, quietly, embedder=HashingEmbedder())
    backup.export(url, archive, quietly, force=True, embedder=HashingEmbedder())
    with pytest.raises(InputError, match="there is no folder"):
        backup.export(url, tmp_path / "none" / "one.zip", quietly, embedder=HashingEmbedder())
    with pytest.raises(InputError, match="there is a library at"):
        backup.import_archive(archive, url, quietly, embedder=HashingEmbedder())
    with ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("one.txt", "one")
    with pytest.raises(InputError, match="is not a library archive"):
        backup.import_archive(
            tmp_path / "other.zip", url + "2", quietly, embedder=HashingEmbedder()
        )
    with pytest.raises(LibraryNotFound):
        Library.open(url + "2", create=False, embedder=HashingEmbedder())


def test_an_import_that_was_cut_off(
    tmp_path: Path, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves no library, says so, and is done again from the beginning."""
    archive, url = tmp_path / "articles.rag.zip", f"file://{tmp_path}/shared"
    filled(tmp_path / "folder", articles).close()
    backup.export(tmp_path / "folder", archive, quietly)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(SharedWriter, "record_files", killed)
        with pytest.raises(KeyboardInterrupt):
            backup.import_archive(archive, url, quietly, embedder=HashingEmbedder())
    with pytest.raises(LibraryDamaged, match="is incomplete"):
        Library.open(url, embedder=HashingEmbedder())
    backup.import_archive(archive, url, quietly, embedder=HashingEmbedder())
    with Library.open(url, create=False, embedder=HashingEmbedder()) as library:
        assert library.status().documents == 3
        assert library.verify().problems == ()
