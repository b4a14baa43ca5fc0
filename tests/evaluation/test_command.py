"""The command from end to end, with the real model, on sets of three documents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import typer
from small_sets import DOCUMENTS, QUESTIONS, span, write_set
from test_cross_encoder import tiny
from typer.testing import CliRunner

from rag import InputError, Library, LibraryNotFound, Passage
from rag.cli.evaluate import eval_command
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import PassageEncoding


def run(*arguments: str | Path) -> str:
    """What the command prints on standard output; an error is raised."""
    app = typer.Typer()
    app.command("eval")(eval_command)
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def means(report: dict[str, dict[str, dict[str, float]]]) -> dict[str, float]:
    """The figures."""
    return {name: one["mean"] for name, one in report["metrics"].items()}


@pytest.fixture(scope="module", autouse=True)
def _loaded_once(embedder: SentenceTransformerEmbedder) -> Iterator[None]:
    """The command loads the model at every call; here all calls have the one of all tests."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("rag.library.opener.embedder_for", lambda *_: embedder)
        yield


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set, and a library of it in the folder ``library`` beside it; not to be changed."""
    folder = tmp_path_factory.mktemp("kept")
    run(write_set(folder / "small"), "--library", folder / "library", "--json")
    return folder


def test_set_that_is_found_whole(kept: Path) -> None:
    """Three documents of one passage each, all found: every figure but one is 1.

    The text precision is the share of the gold text in what was retrieved, worked by hand: all
    three passages are hits of two questions, and of the one with a filter two.
    """
    report = json.loads(run(kept / "small", "--library", kept / "library", "--json"))
    assert (report["set"], report["questions"], report["documents"]) == ("small", 3, 3)
    solid = {one["_id"]: len("".join(str(one["text"]).split())) for one in DOCUMENTS}
    answers = [len("".join(one.split())) for one in ("a thousand miles", "forty minutes", "Ghent")]
    retrieved = [sum(solid.values()), solid["bread"] + solid["tanks"], sum(solid.values())]
    shares = [answer / taken for answer, taken in zip(answers, retrieved, strict=True)]
    found = means(report)
    assert found.pop("text precision@5") == pytest.approx(sum(shares) / 3)
    assert found.pop("text IoU@5") == pytest.approx(sum(shares) / 3)
    assert len(found) == 14
    assert set(found.values()) == {1.0}


def test_library_follows_its_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has is not embedded again, and documents that are gone from the set go from it."""
    library, embedded = tmp_path / "library", []
    real = SentenceTransformerEmbedder.passages

    def counted(
        self: SentenceTransformerEmbedder, passages: Sequence[Passage]
    ) -> Iterator[PassageEncoding]:
        embedded.extend(one.text for one in passages)
        return real(self, passages)

    monkeypatch.setattr(SentenceTransformerEmbedder, "passages", counted)
    whole = write_set(tmp_path / "small")
    run(whole, "--library", library, "--json")
    assert sorted(embedded) == sorted(str(one["text"]) for one in DOCUMENTS)
    embedded.clear()
    run(whole, "--library", library, "--json")
    assert embedded == []
    fewer = write_set(tmp_path / "fewer", DOCUMENTS[:2], QUESTIONS[:2], {"test": ["q1\twhales\t1"]})
    report = json.loads(run(fewer, "--library", library, "--json"))
    assert (report["documents"], report["questions"]) == (2, 2)
    with Library.open(library, create=False) as opened:
        assert {one.title for one in opened.documents()} == {"Whales", "Bread"}


def test_library_of_other_documents_is_left_alone(tmp_path: Path, articles: Path) -> None:
    """A set's documents must not get among a reader's own."""
    with Library.open(tmp_path / "mine") as library:
        library.index(articles)
        before = library.status().documents
    with pytest.raises(InputError, match="is a library of other documents"):
        run(write_set(tmp_path / "small"), "--library", tmp_path / "mine")
    with Library.open(tmp_path / "mine", create=False) as library:
        assert library.status().documents == before


def test_table_and_failures(kept: Path) -> None:
    """A row for each measure, and the question that went wrong."""
    wrong = {
        "_id": "q4",
        "text": "How far do the songs of whales carry?",
        "metadata": {"answer_spans": [span("bread", "forty minutes")]},
    }
    folder = write_set(kept.parent / "failing" / "small", questions=[*QUESTIONS, wrong])
    failures = folder / "failures.jsonl"
    printed = run(folder, "--library", kept / "library", "--failures", failures)
    assert "small: 4 questions, 3 documents, 3 passages, all-MiniLM-L6-v2" in printed
    rows = {line[:25].strip(): line[25:].split() for line in printed.splitlines()}
    assert rows["measure"] == ["mean", "95", "%", "n"]
    # Three of four hold the answer in the first hit; the fourth is right at rank 2 or 3.
    assert (rows["answer in first hit"][0], rows["answer in first hit"][-1]) == ("0.7500", "4")
    (failed,) = [json.loads(line) for line in failures.read_text().splitlines()]
    assert (failed["id"], failed["answer_marked"], len(failed["hits"])) == ("q4", False, 3)
    assert failed["rank"] in {2, 3}
    assert failed["expected"]["answers"][0]["text"] == "forty minutes"
    assert failed["hits"][0]["title"] == "Whales"


def test_cross_encoder(kept: Path, tmp_path: Path) -> None:
    """Its scores are those of the hits of a question that nothing answers."""
    questions, failures = tmp_path / "mine.csv", tmp_path / "failures.jsonl"
    questions.write_text("question,expected\nHow far do songs carry?,nowhere\n")
    scores = []
    for rerank in ((), ("--rerank", tiny(tmp_path / "tiny"))):
        run(questions, "--library", kept / "library", "--failures", failures, *rerank)
        (failed,) = [json.loads(line) for line in failures.read_text().splitlines()]
        assert (failed["rank"], failed["expected"]) == (None, {"text": "nowhere"})
        scores.append([hit["score"] for hit in failed["hits"]])
    assert not set(scores[0]) & set(scores[1])


def test_own_questions(tmp_path: Path, articles: Path) -> None:
    """About a library that is there: by an expected text, by a file, and by both."""
    with Library.open(tmp_path / "mine") as library:
        library.index(articles)
    questions = tmp_path / "mine.csv"
    questions.write_text(
        "question,expected,file\n"
        "How far do songs of whales carry?,A thousand MILES,\n"
        "How long is bread baked?,,bread.txt\n"
        "Where does the turret come from?,Ghent,bread.txt\n"
    )
    report = json.loads(run(questions, "--library", tmp_path / "mine", "--json"))
    counted = {name: one["questions"] for name, one in report["metrics"].items()}
    found = means(report)
    assert (counted["answer MRR@10"], found["answer MRR@10"]) == (2, 0.5)
    assert (counted["document recall@10"], found["document recall@10"]) == (2, 1.0)
    # Of the two questions that name bread.txt, one asks for something else.
    assert found["document recall@1"] == 0.5


def test_library_that_nobody_named_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in the folder for such things, and nothing is left there; as many questions as wanted
    are asked.
    """
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    printed = run(write_set(tmp_path / "small"), "--questions", "2", "--json")
    assert json.loads(printed)["questions"] == 2
    assert list(folder.iterdir()) == []


def test_questions_about_no_library(tmp_path: Path) -> None:
    """None is made for them."""
    questions = tmp_path / "mine.csv"
    questions.write_text("question,expected\nWho?,Ada\n")
    with pytest.raises(LibraryNotFound):
        run(questions, "--library", tmp_path / "nothing")
    with pytest.raises(InputError, match="--split is for folders"):
        run(questions, "--split", "dev")
    with Library.open(tmp_path / "empty"):
        pass
    with pytest.raises(InputError, match="is empty; fill it first"):
        run(questions, "--library", tmp_path / "empty")


def test_question_that_cannot_be_asked(kept: Path, tmp_path: Path) -> None:
    """It is named: among thousands nobody would find it."""
    only_conditions = {**QUESTIONS[0], "text": "title:whales"}
    folder = write_set(tmp_path / "small", questions=[QUESTIONS[1], only_conditions])
    with pytest.raises(InputError, match="question q1, “title:whales”: the question has only"):
        run(folder, "--library", kept / "library")
