"""A library is given another model: what it holds stays, and it answers all the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from halved_embedder import HalvedEmbedder
from hashing_embedder import HashingEmbedder

from rag import InputError, Library, LibraryMismatch, Passage, Progress
from rag.ingest import reencoding
from rag.maintenance import backup
from rag.types import PassageEncoding

ARTICLES = 12
QUESTION = "Who lives in town7?"
ANSWER = "Name7 lives in town7."


class Counted(HalvedEmbedder):
    """It counts the passages that it encodes."""

    def __init__(self) -> None:
        self.passages_given = 0

    def passages(self, passages: Sequence[Passage]) -> Iterator[PassageEncoding]:
        """As given."""
        for one in super().passages(passages):
            self.passages_given += 1
            yield one


class Interrupted(BaseException):
    """As Ctrl-C and a cancelled job do."""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """Twelve articles of more words than the new model reads at once, a batch each."""
    monkeypatch.setattr(reencoding, "PASSAGES_TOGETHER", 2)
    articles = tmp_path / "articles"
    articles.mkdir()
    for number in range(ARTICLES):
        more = " ".join(f"It has house{number}x{line} and a garden there." for line in range(4))
        (articles / f"{number}.txt").write_text(f"Name{number} lives in town{number}. {more}")
    with Library.open(tmp_path / "library", embedder=HashingEmbedder()) as opened:
        opened.index(articles, collection="towns")
        yield opened


def no_progress(what: str, done: int, total: int) -> None:
    """Nobody looks."""


def answer(library: Library) -> str:
    """The sentence that answers best."""
    return library.search(QUESTION, 1)[0].answer.text


def test_all_but_the_passages_stays(library: Library) -> None:
    """Its files are not read; passages are cut for the new model, whose window is smaller."""
    before = library.status()
    documents, files = library.documents(order="title"), library.report()
    (library.path / "files").mkdir()
    (library.path / "files" / "uploaded.txt").write_text("Name99 lives in town99.")
    library.index(library.path / "files")
    library.rate(QUESTION, library.search(QUESTION, 1)[0], good=True)
    for path in (library.path.parent / "articles").iterdir():
        path.unlink()
    assert library.reencode(embedder=HalvedEmbedder())
    assert not library.reencode(embedder=HalvedEmbedder())
    after = library.status()
    assert (after.model, after.dimension) == ("halved", 32)
    assert after.documents == before.documents + 1
    assert after.passages > before.passages
    assert after.generation > before.generation
    assert {(one.name, one.documents) for one in library.collections()} == {
        ("towns", ARTICLES),
        ("uploads", 1),
    }
    now = {one.id: one for one in library.documents()}
    assert [now[one.id].source for one in documents] == [one.source for one in documents]
    assert [one.source for one in library.report()][:-1] == [one.source for one in files]
    assert [one.good for one in library.ratings(QUESTION)] == [True]
    assert answer(library) == ANSWER
    assert library.verify().problems == ()
    assert sorted(path.name for path in library.path.iterdir()) == ["files", "lock", "store-2"]


def test_again_and_back(library: Library) -> None:
    """Each time in a new place, and the last one is deleted; other doors find it there."""
    before = library.search(QUESTION, 5)
    library.reencode(embedder=HalvedEmbedder())
    library.reencode(embedder=HashingEmbedder())
    assert library.search(QUESTION, 5) == before
    assert sorted(path.name for path in library.path.iterdir()) == ["lock", "store-3"]
    report = library.index(library.path.parent / "articles")
    assert len(report.unchanged) == ARTICLES
    archive, copy = library.path.parent / "a.rag.zip", library.path.parent / "copy"
    assert backup.export(library.path, archive, no_progress).documents == ARTICLES
    backup.import_archive(archive, copy, no_progress)
    with Library.open(copy, embedder=HashingEmbedder()) as copied:
        assert answer(copied) == ANSWER
    with Library.open(library.path.parent / "other", embedder=HashingEmbedder()) as other:
        assert other.index(library.path).added == (), "a library's own files are no documents"


@pytest.mark.parametrize("after", [0, 1, 5, ARTICLES])
def test_interrupted_and_resumed(library: Library, after: int) -> None:
    """The former model answers, and the next run encodes what is left."""

    def interrupt(step: Progress) -> None:
        if step.stage == ("re-encoding" if after < ARTICLES else "publishing") and (
            step.done >= after or step.stage == "publishing"
        ):
            raise Interrupted

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("rag.runtime.heartbeat.INTERVAL", 0.0)
        with suppress(Interrupted):
            library.reencode(embedder=Counted(), progress=interrupt)
    assert library.status().model == "hashing"
    assert answer(library) == ANSWER
    library.remove([library.path.parent / "articles" / "3.txt"])
    changed = library.path.parent / "articles" / "4.txt"
    changed.write_text("Name4 moved to city4.")
    library.index(changed)
    model = Counted()
    library.reencode(embedder=model)
    status = library.status()
    assert (status.model, status.documents) == ("halved", ARTICLES - 1)
    assert model.passages_given <= status.passages * (ARTICLES + 3 - after) / ARTICLES
    assert answer(library) == ANSWER
    assert library.search("Who moved to city4?", 1)[0].text == "Name4 moved to city4."
    assert not [one for one in library.search("town3 house3x2", 20) if "town3." in one.text]
    assert library.verify().problems == ()


def test_an_interrupted_run_for_another_model(library: Library) -> None:
    """It is given up, and so it is by a run for the library's own."""

    class Third(HalvedEmbedder):
        name = "third"
        fingerprint = "third 1"

    def interrupt(step: Progress) -> None:
        if step.stage == "publishing":
            raise Interrupted

    for model in (HashingEmbedder(), Third()):
        with suppress(Interrupted):
            library.reencode(embedder=HalvedEmbedder(), progress=interrupt)
        assert (library.path / "store-2.draft").exists()
        library.reencode(embedder=model)
        assert not (library.path / "store-2.draft").exists()
        assert (library.status().model, answer(library)) == (model.name, ANSWER)


def test_a_reader_keeps_answering(library: Library) -> None:
    """At any moment, first by the former model and then by the new one; no rating is lost."""
    done = threading.Event()
    answers, models = set(), []

    def ask() -> None:
        while not done.is_set():
            hit = library.search(QUESTION, 1)[0]
            answers.add(hit.answer.text)
            models.append(library.status().model)
            assert library.document(hit.document_id)
            library.rate(f"Question {len(models)}?", hit, good=True)
            time.sleep(0.001)  # the writer needs the interpreter, too

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            library.reencode(embedder=HalvedEmbedder())
        finally:
            done.set()
        asking.result()
    assert answers == {ANSWER}
    assert models[0] == "hashing"
    assert len(library.ratings()) == len(models)


def test_a_reader_with_a_model_of_its_own_is_told(library: Library) -> None:
    """It can't follow."""
    with Library.open(library.path, embedder=HashingEmbedder()) as reader:
        library.reencode(embedder=HalvedEmbedder())
        with pytest.raises(LibraryMismatch, match="was made with the model “halved 1”"):
            reader.search(QUESTION)


def test_a_shared_library_keeps_its_model(tmp_path: Path) -> None:
    """The error says what to do."""
    with (
        Library.open(f"file://{tmp_path}/shared", embedder=HashingEmbedder()) as library,
        pytest.raises(InputError, match="keeps its model; index your documents into a new one"),
    ):
        library.reencode(embedder=HalvedEmbedder())
