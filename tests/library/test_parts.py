"""A document in parts is one document, whatever is asked of a library."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hashing_embedder import HashingEmbedder

from rag import Library
from rag.types.parts import part_source

SENTENCES = [
    f"The ferry number {n} leaves the harbour of island {n * 7} at noon.\n\n" for n in range(700)
]


@pytest.fixture(autouse=True)
def short_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 10,000 characters."""
    monkeypatch.setattr("rag.types.parts.PART_CHARACTERS", 10_000)
    monkeypatch.setattr("rag.documents.loaded.PART_CHARACTERS", 10_000)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """An empty one, whose model is quick."""
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file of five parts, in a folder of its own."""
    path = tmp_path / "files" / "ferries.txt"
    path.parent.mkdir()
    path.write_text("".join(SENTENCES), "utf-8")
    return path


def test_it_is_one_document_everywhere(library: Library, log: Path) -> None:
    """In reports, lists, counts, facets and hits, and for filters."""
    report = library.index(log.parent)
    assert report.added == (str(log),)
    assert library.status().documents == 1
    (one,) = library.documents()
    assert (one.source, one.passages) == (str(log), library.status().passages)
    assert library.count_documents() == library.count_documents(source="*.txt") == 1
    assert dict(library.facets().types) == {".txt": 1}
    assert sum(library.facets().languages.values()) <= 1
    assert library.dates().file_time == 1
    (file,) = library.report()
    assert (file.documents, file.passages) == (1, one.passages)
    for hit in library.search("ferry number 690", source="ferries.txt"):
        assert (hit.source, hit.also_in) == (str(log), ())
        document = library.document(hit.document_id)
        assert document.source == str(log)
        assert document.text[hit.start : hit.end] == hit.text
        assert library.sources(hit.document_id) == [str(log)]
        assert library.files(hit.document_id) == [log]
    found = library.find("ferry")
    assert [(each.document_id, each.passages) for each in found.documents] == [
        (one.id, found.passages)
    ]


def test_its_parts_can_be_read_one_after_the_other(library: Library, log: Path) -> None:
    """Each knows the others, and together they are the text."""
    library.index(log.parent)
    (one,) = library.documents()
    ids = library.parts(library.document(one.id))
    assert len(ids) == 5
    assert "\n\n".join(library.document(id_).text for id_ in ids) == log.read_text("utf-8").strip()
    assert all(library.parts(library.document(id_)) == ids for id_ in ids)


def _grown(path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("The last ferry is late.")


def _shrunk(path: Path) -> None:
    path.write_text("".join(SENTENCES[:300]), "utf-8")


def _small(path: Path) -> None:
    path.write_text("No ferry leaves today.", "utf-8")


@pytest.mark.parametrize(("change", "parts"), [(_grown, 5), (_shrunk, 2), (_small, 1)])
def test_a_file_that_changes(
    library: Library, log: Path, change: Callable[[Path], None], parts: int
) -> None:
    """What it has no more goes, and little is encoded again: near the end, other breaks may be
    the best.
    """
    library.index(log.parent)
    change(log)
    report = library.index(log.parent)
    assert (report.added, report.updated, report.removed) == ((), (str(log),), ())
    assert report.embedded <= max(2, report.reused)
    (one,) = library.documents()
    assert len(library.parts(library.document(one.id))) == parts
    assert {source.path for source in library.engine.reader.sources()} == {
        part_source(str(log), number) for number in range(1, parts + 1)
    }
    assert library.verify().sound


def test_a_file_that_moves_is_copied_or_goes(library: Library, log: Path) -> None:
    """Nothing is encoded again, and nothing is left behind."""
    library.index(log.parent)
    moved = log.rename(log.with_name("boats.txt"))
    report = library.index(log.parent)
    assert (report.added, report.removed, report.embedded) == ((str(moved),), (str(log),), 0)
    copy = moved.with_name("copy.txt")
    copy.write_bytes(moved.read_bytes())
    assert library.index(log.parent).added == (str(copy),)
    hit = library.search("ferry number 690")[0]
    assert (hit.source, hit.also_in) == (str(moved), (str(copy),))
    assert library.remove([moved]) == [str(moved)]
    assert library.search("ferry number 690")[0].source == str(copy)
    assert library.remove([copy.parent]) == [str(copy)]
    assert library.status().documents == library.status().passages == 0


def test_what_was_said_of_a_passage_is_found_again(library: Library, log: Path) -> None:
    """In whichever part it is now."""
    library.index(log.parent)
    hit = library.search("ferry number 690")[0]
    library.rate("ferry number 690", hit, good=True)
    log.write_text("New first words.\n\n" + log.read_text("utf-8"), "utf-8")
    library.index(log.parent)
    from rag.confidence.ratings import locate

    (place,) = locate(library.ratings(), library.engine.reader)
    assert hit.answer.text in place.passage.text
