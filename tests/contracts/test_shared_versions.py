"""Going back to an earlier version of a shared library, and what its tables are written together
for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from engines import place
from hashing_embedder import HashingEmbedder

from rag import InputError, Library
from rag.cluster.lance import engine, indexes, publication, versions


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty shared library, without the model."""
    with Library.open(place("shared", tmp_path), embedder=HashingEmbedder()) as library:
        yield library


def test_back_and_forth(library: Library, articles: Path) -> None:
    """All tables are as they were, whoever looks, and nothing of it is read or found otherwise."""
    library.index(articles / "bread.txt")
    before = library.search("bread"), library.report(), library.documents()
    library.index(articles)
    (articles / "bread.txt").write_text("Quokkas smile.")
    library.index(articles)
    after = library.search("quokkas"), library.report(), library.documents()
    assert [(one.number, one.documents, one.passages) for one in library.versions()] == [
        (3, 3, 3),
        (2, 3, 3),
        (1, 1, 1),
    ]
    library.restore(1)
    with Library.open(library.engine.location, embedder=HashingEmbedder()) as other:
        assert (other.search("bread"), other.report(), other.documents()) == before
        assert other.search("quokkas")[0].why.words == 0.0
        assert other.verify().problems == ()
    library.restore(3)
    assert (library.search("quokkas"), library.report(), library.documents()) == after
    assert library.verify().problems == ()
    assert [one.number for one in library.versions()] == [5, 4, 3, 2, 1]


def test_so_many_are_kept(
    library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The latest; a run that changes nothing makes none."""
    monkeypatch.setattr(versions, "KEPT", 2)
    for text in ("One bakes.", "Two bake.", "Three bake."):
        (articles / "bread.txt").write_text(text)
        library.index(articles / "bread.txt")
    library.index(articles / "bread.txt")
    assert [one.number for one in library.versions()] == [3, 2]
    assert set(library.engine._tables.passages.dataset.tags.list()) == {"version-2", "version-3"}
    with pytest.raises(InputError, match="has no version 1; it has 3, 2: rag status --versions"):
        library.restore(1)
    library.restore(2)
    assert "Two bake." in library.search("bake")[0].text


def test_files_are_written_together(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are many, or much is deleted: keys stay, indexes know all, answers are the same,
    and a reader of the version before goes on.
    """
    monkeypatch.setattr(publication, "MOST_FILES", 1000)
    for number in range(6):
        path = tmp_path / f"{number}.txt"
        path.write_text(f"The tank number {number} rolls. It weighs {number} tons.")
        library.index(path)
    passages = library.engine._tables.passages
    assert len(passages.dataset.get_fragments()) == 6
    before, keys = library.search("tank number 4", 6), passages.keys(None)
    reader = library.engine.searcher()
    monkeypatch.setattr(publication, "MOST_FILES", 5)
    publication.tidy(library.engine._tables)
    passages = library.engine._tables.passages
    assert len(passages.dataset.get_fragments()) == 1
    assert passages.keys(None).tolist() == keys.tolist()
    assert set(indexes.lacking(passages).values()) == {0}
    monkeypatch.setattr(engine, "SECONDS_BETWEEN_LOOKS", -1.0)
    assert library.search("tank number 4", 6) == before
    assert len(reader.tokens(keys.tolist())) == 6
    library.remove([tmp_path / "1.txt", tmp_path / "2.txt"])
    (file,) = library.engine._tables.passages.dataset.get_fragments()
    assert (file.physical_rows, library.status().documents) == (4, 4)
    assert library.verify().problems == ()


def test_a_folder_keeps_none(tmp_path: Path) -> None:
    """It says so, and what does instead."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as library:
        with pytest.raises(InputError, match="keeps no versions; make backups: rag export"):
            library.versions()
        with pytest.raises(InputError, match="keeps no versions"):
            library.restore(1)
