"""One folder with files of every format, whole and broken, in one run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import many_files
import pytest

from rag import IndexReport, Library
from rag.models.embedder import SentenceTransformerEmbedder


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the files and the library are."""
    folder = tmp_path_factory.mktemp("formats")
    return {"good": folder / "files" / "good", "broken": folder / "files" / "broken"}


@pytest.fixture(scope="module")
def facts(places: dict[str, Path]) -> dict[int, str]:
    """In which source each fact stands."""
    return many_files.good(places["good"])


@pytest.fixture(scope="module")
def reasons(places: dict[str, Path]) -> dict[str, str]:
    """A word of the reason for each broken file."""
    return many_files.broken(places["broken"])


@pytest.fixture(scope="module")
def indexed(
    places: dict[str, Path],
    facts: dict[int, str],
    reasons: dict[str, str],
    embedder: SentenceTransformerEmbedder,
    sandboxed: None,  # noqa: ARG001 (what is broken may break its parser)
) -> Iterator[tuple[Library, IndexReport]]:
    """Everything, indexed in one run."""
    assert len(facts) + len(reasons) >= 60
    folder = places["good"].parent
    with Library.open(folder.parent / "library", embedder=embedder) as library:
        yield library, library.index(folder)


def test_every_fact_is_found(
    indexed: tuple[Library, IndexReport], places: dict[str, Path], facts: dict[int, str]
) -> None:
    """Each question is answered by the file that alone has the answer, from the right place."""
    library, _ = indexed
    wrong = {}
    for number, source in facts.items():
        hit = library.search(many_files.question(number), k=1)[0]
        expected = str(places["good"] / source)
        weight = str(1000 + 7 * number)
        if hit.source != expected or weight not in hit.answer.text.replace(",", ""):
            wrong[source] = (hit.source, hit.answer.text)
        text = library.document(hit.document_id).text
        assert text[hit.start : hit.end] == hit.text
    assert wrong == {}


def test_every_broken_file_is_named(
    indexed: tuple[Library, IndexReport], places: dict[str, Path], reasons: dict[str, str]
) -> None:
    """With its reason, and nothing else is."""
    _, report = indexed
    said = {
        Path(one.source).relative_to(places["broken"]).as_posix(): one.reason
        for one in (*report.failed, *report.skipped)
    }
    assert said.keys() == reasons.keys()
    for name, word in reasons.items():
        assert word in said[name], (name, said[name])


@pytest.mark.parametrize("kind", ["pdf", "pptx"])
def test_pages_are_counted(indexed: tuple[Library, IndexReport], kind: str) -> None:
    """The fact stands on the second page, or slide."""
    library, _ = indexed
    number = list(many_files.ONE_FACT).index(kind) * 2
    hit = library.search(many_files.question(number), k=1)[0]
    inside = library.document(hit.document_id).pages[1]
    assert inside.start <= hit.answer.start < inside.end
    assert hit.page == 2


def test_second_run_reads_nothing(
    indexed: tuple[Library, IndexReport], places: dict[str, Path]
) -> None:
    """All of it is unchanged, and what could not be read is said again."""
    library, first = indexed
    again = library.index(places["good"].parent)
    assert (again.embedded, again.added, again.updated, again.removed) == (0, (), (), ())
    assert {one.source for one in again.failed} == {one.source for one in first.failed}
    assert len(again.unchanged) == len(first.added)
