"""Reading the layout of BEIR, and what is said of sets that are broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from small_sets import BREAD, DOCUMENTS, JUDGEMENTS, QUESTIONS, lines, write_set

from rag import InputError, Span
from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import GoldSpan, Question, SetDocument, spread

ONE_SPAN = '{"_id": "x", "text": "Why?", "metadata": {"answer_spans": [%s]}}'


def test_everything_is_read(tmp_path: Path) -> None:
    """Documents, questions, judgements, spans and filters."""
    found = read_beir(write_set(tmp_path / "small"))
    assert (found.name, found.unlabelled, len(found.questions)) == ("small", 0, 3)
    assert found.documents is not None
    assert found.documents[1] == SetDocument("bread", "Bread", BREAD, {"set.year": "2004"})
    question = found.questions[1]
    assert (question.id, question.text) == ("q2", "How long is sourdough bread baked?")
    assert question.documents == {"bread": 1}
    assert question.spans == (GoldSpan("bread", Span(29, 42), "forty minutes"),)
    assert question.where == {"set.year": "2004"}


def test_without_judgements(tmp_path: Path) -> None:
    """Spans are enough; a question without either is left out, and counted."""
    plain = {"_id": "q9", "text": "Who knows?"}
    folder = write_set(tmp_path / "small", questions=[*QUESTIONS, plain])
    (folder / "qrels" / "test.tsv").unlink()
    found = read_beir(folder)
    assert [one.id for one in found.questions] == ["q1", "q2", "q3"]
    assert found.unlabelled == 1
    assert found.questions[0].documents == {}


def test_corpus_that_is_not_packed(tmp_path: Path) -> None:
    """Numbers as ids, no titles, empty lines, a byte order mark and no line of names."""
    folder = write_set(tmp_path / "small", judgements={"test": ["q1\twhales\t1"]})
    (folder / "corpus.jsonl.gz").unlink()
    (folder / "corpus.jsonl").write_text('\ufeff{"_id": 7, "text": "Seven."}\n\n')
    lines(folder / "queries.jsonl", [{"_id": 1, "text": "Which number?"}])
    (folder / "qrels" / "test.tsv").write_text("1\t7\t2\n")
    found = read_beir(folder)
    assert found.documents == (SetDocument("7", "", "Seven.", {}),)
    assert found.questions[0].documents == {"7": 2}


def test_splits(tmp_path: Path) -> None:
    """``test`` unless another is named; only its questions count."""
    splits = {"test": JUDGEMENTS[:1], "train": JUDGEMENTS[1:]}
    plain = [{**question, "metadata": {}} for question in QUESTIONS]
    folder = write_set(tmp_path / "small", questions=plain, judgements=splits)
    assert [one.id for one in read_beir(folder).questions] == ["q1"]
    assert [one.id for one in read_beir(folder, "train").questions] == ["q2", "q3"]
    with pytest.raises(InputError, match="no judgements dev; name others by --split: test, train"):
        read_beir(folder, "dev")


def test_the_only_split_is_taken(tmp_path: Path) -> None:
    """Whatever its name."""
    folder = write_set(tmp_path / "small", judgements={"dev": JUDGEMENTS})
    assert read_beir(folder).questions[2].documents == {"tanks": 1}


def test_spread() -> None:
    """Evenly over the set, or all of it."""
    found = tuple(Question(str(number), "Why?") for number in range(10))
    assert [one.id for one in spread(found, 4)] == ["0", "2", "5", "7"]
    assert spread(found, None) == spread(found, 10) == spread(found, 99) == found


@pytest.mark.parametrize("missing", ["corpus", "queries"])
def test_missing_file(tmp_path: Path, missing: str) -> None:
    """It is named, and what a set looks like is told."""
    folder = write_set(tmp_path / "small")
    next(folder.glob(f"{missing}.*")).unlink()
    with pytest.raises(InputError, match=rf"no {missing}\.jsonl in it; give a folder"):
        read_beir(folder)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "queries.jsonl, line 2 is no valid JSON"),
        ("[1]", "queries.jsonl, line 2 is no JSON object"),
        ('{"text": "Why?"}', "queries.jsonl, line 2: there is no “_id”"),
        ('{"_id": "x"}', "queries.jsonl, line 2: “text” must be a text"),
        ('{"_id": "x", "text": "?!"}', "queries.jsonl, line 2: the question is empty"),
        ('{"_id": "x", "text": "Why?", "metadata": 3}', "“metadata” is no object"),
        ('{"_id": "x", "text": "Why?", "metadata": {"filter": "a"}}', "are objects"),
        (ONE_SPAN % '{"start": 1}', "an answer span needs “doc_id”"),
        (ONE_SPAN % '{"doc_id": "bread", "start": "5", "end": 9}', "an answer span needs"),
        (
            ONE_SPAN % '{"doc_id": "bread", "start": 5, "end": 900}',
            "the span 5-900 is empty or beyond the 66 characters of document bread",
        ),
    ],
)
def test_broken_question(tmp_path: Path, line: str, reason: str) -> None:
    """The message names the file, the line and what is wrong with it."""
    folder = write_set(tmp_path / "small")
    first = '{"_id": "q1", "text": "Why?"}\n'
    (folder / "queries.jsonl").write_text(f"{first}{line}\n")
    with pytest.raises(InputError, match=reason):
        read_beir(folder)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["q1\twhales\tmuch"], "test.tsv, line 2: a line has a question, a document"),
        (["q1 whales 1"], "test.tsv, line 2"),
        (["q1\tdolphins\t1"], "name a document dolphins that is not in the corpus"),
    ],
)
def test_broken_judgements(tmp_path: Path, rows: list[str], reason: str) -> None:
    """The message says where and what."""
    folder = write_set(tmp_path / "small", judgements={"test": rows})
    with pytest.raises(InputError, match=reason):
        read_beir(folder)


def test_no_question_has_a_label(tmp_path: Path) -> None:
    """There is nothing to measure then."""
    plain = [{"_id": "q1", "text": "Why?"}]
    folder = write_set(tmp_path / "small", questions=plain, judgements={"test": ["q1\tbread\t0"]})
    with pytest.raises(InputError, match="no question of it has a label"):
        read_beir(folder)


def test_broken_corpus(tmp_path: Path) -> None:
    """Cut short, twice the same id, or nothing in it."""
    folder = write_set(tmp_path / "small")
    whole = (folder / "corpus.jsonl.gz").read_bytes()
    (folder / "corpus.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is damaged"):
        read_beir(folder)
    (folder / "corpus.jsonl.gz").write_bytes(b"no archive at all")
    with pytest.raises(InputError, match="is damaged"):
        read_beir(folder)
    lines(folder / "corpus.jsonl.gz", [*DOCUMENTS, DOCUMENTS[0]])
    with pytest.raises(InputError, match="line 4: there is another document whales above"):
        read_beir(folder)
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match="is empty"):
        read_beir(folder)
