"""A library measured on what its readers rated."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from made_hits import hit
from test_command import means, run

from rag import Hit, InputError, Library
from rag.evaluation.labelled_sets import GoldSpan, Question
from rag.evaluation.relevance import RatedJudge, passage, rated_set
from rag.index.sqlite.database import Database
from rag.index.sqlite.reader import StoreReader
from rag.models.embedder import SentenceTransformerEmbedder
from rag.types import Span

FAR = "How far do songs of whales carry?"
BREAD = "How long is the bread baked?"


@pytest.fixture
def rated(
    library: Library,
    articles: Path,
    embedder: SentenceTransformerEmbedder,
    monkeypatch: pytest.MonkeyPatch,
) -> Library:
    """For one question the first hit is right, for another the second, for a third none."""
    monkeypatch.setattr("rag.library.opener.embedder_for", lambda *_: embedder)
    library.index(articles)
    first, _ = library.search(FAR)[:2]
    library.rate(FAR, first, good=True)
    for one, good in zip(library.search(BREAD)[:2], (False, True), strict=True):
        library.rate(BREAD, one, good=good)
    library.rate("Who?", first, good=False)
    return library


def stored(library: Library) -> StoreReader:
    """The store of a library."""
    return StoreReader(Database(library.path / "library.db", 384))


def test_questions_are_those_with_a_good_passage(rated: Library) -> None:
    """What is right is the passage, whoever else holds the same words."""
    labelled, judge = rated_set(rated.ratings(), stored(rated))
    assert [one.text for one in labelled.questions] == [FAR, BREAD]
    assert (labelled.unlabelled, labelled.documents) == (1, None)
    far, bread = labelled.questions
    first = rated.search(FAR)[0]
    answer = first.answer
    assert far.spans == (GoldSpan(first.document_id, Span(answer.start, answer.end), answer.text),)
    assert [judge.is_relevant(bread, one, passage(one)) for one in rated.search(BREAD)[:3]] == [
        False,
        True,
        False,
    ]


def test_same_words_elsewhere_are_as_right() -> None:
    """Another file, other blanks and capitals; the mark has to be on what was marked then."""
    good: Hit = hit("a.txt", "Whales sing. They dive.", "Whales sing.")
    question = Question("1", "Who?", spans=(GoldSpan("a", Span(0, 12), "Whales sing."),))
    judge = RatedJudge({"1": [good.text]})

    def verdicts(one: Hit) -> tuple[bool, bool]:
        return tuple(judge.is_relevant(question, one, part) for part in (passage(one), one.answer))

    copy = hit("b.txt", "whales  sing. They dive.", "whales  sing.", start=40)
    assert verdicts(copy) == (True, True)
    elsewhere = hit("b.txt", good.text, "They dive.")
    assert verdicts(elsewhere) == (True, False)
    longer = hit("a.txt", "Whales sing. They dive. They rest.", "Whales sing.")
    assert verdicts(longer) == (False, False)


def test_figures(rated: Library, tmp_path: Path) -> None:
    """Ranks 1 and 2: an MRR of (1 + 1/2) / 2; the failed question is written down."""
    failures = tmp_path / "failures.jsonl"
    report = json.loads(run("--ratings", "--library", rated.path, "--json", "--failures", failures))
    assert (report["set"], report["questions"], report["unlabelled"]) == ("ratings", 2, 1)
    assert means(report) == {
        "answer MRR@10": 0.75,
        "answer in first hit": 0.5,
        "answer in 5 hits": 1.0,
        "answer in 10 hits": 1.0,
        "answer in marked sentence": 0.5,
    }
    (failed,) = [json.loads(line) for line in failures.read_text().splitlines()]
    assert (failed["question"], failed["rank"], len(failed["expected"]["answers"])) == (BREAD, 2, 1)


def test_what_cannot_be_measured(rated: Library) -> None:
    """Two sets at once, none at all, a split of ratings, and a library without ratings."""
    for arguments in ([], ["questions.csv", "--ratings"]):
        with pytest.raises(InputError, match="name one set of questions"):
            run(*arguments, "--library", rated.path)
    with pytest.raises(InputError, match="--split is for folders"):
        run("--ratings", "--split", "dev", "--library", rated.path)
    with pytest.raises(InputError, match="no passage that is in the library was called good"):
        rated_set([replace(one, good=False) for one in rated.ratings()], stored(rated))
