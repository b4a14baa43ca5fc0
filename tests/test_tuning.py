"""Fitting the ranking to ratings: what is chosen, what it is worth, and when it is changed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from rag import InputError, Library, LibraryMismatch
from rag.commands.tune import tune_command
from rag.embedding import SentenceTransformerEmbedder
from rag.evaluation.statistics import Difference, Estimate
from rag.ranking import DEFAULT, Ranking
from rag.tuning import FOLDS, Tuning, choose, grid

WORDS_ALONE = Ranking(meaning_weight=0.0, tokens_weight=0.0)

OTHER_WORDS = {
    "car": "automobile", "dog": "hound", "cat": "feline", "doctor": "physician",
    "boat": "ship", "child": "kid", "house": "home", "road": "street", "stone": "rock",
    "forest": "woods", "ocean": "sea", "teacher": "schoolmaster", "king": "monarch",
    "soldier": "trooper", "thief": "robber", "gift": "present", "coat": "jacket",
    "horse": "stallion", "pig": "swine", "chicken": "hen", "airplane": "aircraft",
    "bicycle": "bike", "picture": "photograph", "lawyer": "attorney", "garbage": "trash",
    "couch": "sofa", "fall": "autumn", "movie": "film", "wealth": "riches", "war": "warfare",
    "money": "cash", "job": "occupation",
}  # fmt: skip
"""A word of a document, and what a reader asks for in its place."""


@pytest.fixture(scope="module")
def rated(
    tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder
) -> Iterator[Path]:
    """A library that goes by words alone, and what its reader wanted, which needs the meaning."""
    folder = tmp_path_factory.mktemp("rated")
    (folder / "files").mkdir()
    for word in OTHER_WORDS:
        (folder / "files" / f"{word}.txt").write_text(f"This page is about the {word}.")
    with Library.open(folder / "library", embedder=embedder) as library:
        library.index(folder / "files")
        for word, other in OTHER_WORDS.items():
            hits = library.search(f"Which page tells of a {other}?", k=len(OTHER_WORDS))
            (hit,) = [one for one in hits if one.source.endswith(f"/{word}.txt")]
            library.rate(f"Which page tells of a {other}?", hit, good=True)
        library.tune(WORDS_ALONE)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("rag.opening.embedder_for", lambda *_: embedder)
        yield folder / "library"


def run(*arguments: str | Path) -> str:
    """What ``rag tune`` prints on standard output; an error is raised."""
    app = typer.Typer()
    app.command("tune")(tune_command)
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_setting_that_is_better_everywhere_is_chosen() -> None:
    """Each fold chooses it, so that every question has its value."""
    values = np.vstack([np.full(23, 0.5), np.linspace(0.6, 1.0, 23), np.full(23, 0.1)])
    choice = choose(values)
    assert (choice.best, choice.folds) == (1, (1,) * FOLDS)
    np.testing.assert_array_equal(choice.held_out, values[1])


def test_luck_with_one_question_is_worth_nothing() -> None:
    """Over all questions the second setting is better; without that question they are equal."""
    values = np.full((2, 20), 0.5)
    values[1, 7] = 1.0
    choice = choose(values)
    assert choice.best == 1
    assert choice.held_out[7] == 0.5
    assert sorted(choice.folds) == [0, 1, 1, 1, 1]
    assert choice.held_out.tolist() == [0.5] * 20


def test_equal_settings_leave_the_first() -> None:
    """Which is the current one."""
    choice = choose(np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.4, 0.3, 0.2, 0.1]]))
    assert choice.best == 0


def test_grid_begins_with_what_is_there() -> None:
    """Each setting once, the nearest first; what is not tuned stays as it is."""
    tried = grid(DEFAULT)
    assert tried[0] == DEFAULT
    assert len(tried) == len(set(tried)) == 20
    distances = [abs(one.meaning_weight - 0.5) + abs(one.tokens_weight - 0.75) for one in tried]
    assert distances == sorted(distances)
    own = Ranking(meaning_weight=0.05, reordered=20)
    assert grid(own)[0] == own
    assert len(grid(own)) == 21
    assert {one.reordered for one in grid(own)} == {20}


def test_gain_that_is_real_is_applied_and_undone(rated: Path) -> None:
    """A dry run changes nothing; ``--apply`` does, also for who has the library open."""
    dry = run("--library", rated)
    assert "now   meaning_weight 0, tokens_weight 0: MRR@10 0." in dry
    assert dry.splitlines()[-1] == "The gain is real. To rank like that: rag tune --apply"
    question = "Which page tells of a feline?"
    with Library.open(rated) as library:
        assert library.ranking == WORDS_ALONE
        found = json.loads(run("--library", rated, "--apply", "--json"))
        assert (found["is_real"], found["applied"]) == (True, True)
        assert found["gain"]["questions"] == len(OTHER_WORDS)
        assert 0.0 < found["gain"]["low"] < found["gain"]["mean"] < found["gain"]["high"]
        assert library.ranking == Ranking(**found["best"])
        assert library.ranking.meaning_weight >= 0.3
        first = library.search(question)[0]
        assert first.source.endswith("/cat.txt")
        assert library.status().ranking == {
            name: value for name, value in found["best"].items() if value != getattr(DEFAULT, name)
        }
        assert run("--library", rated, "--reset") == "The library ranks by default again.\n"
        assert (library.ranking, library.status().ranking) == (DEFAULT, {})
        library.tune(WORDS_ALONE)


@pytest.mark.parametrize(
    ("questions", "low", "best", "real"),
    [
        (30, 0.01, WORDS_ALONE, True),
        (29, 0.01, WORDS_ALONE, False),  # too few to say
        (30, 0.0, WORDS_ALONE, False),  # the interval has no gain in it
        (30, 0.01, DEFAULT, False),  # nothing to change
    ],
)
def test_when_a_gain_is_real(questions: int, low: float, best: Ranking, *, real: bool) -> None:
    """On enough questions, more than chance, and by another ranking."""
    gain = Difference(mean=0.05, low=low, high=0.09, p=0.01, questions=questions)
    now = Estimate(mean=0.5, low=0.4, high=0.6, questions=questions)
    assert Tuning(DEFAULT, best, (best,) * FOLDS, now, gain).is_real == real


def test_few_questions(library: Library, articles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With less than one a fold nothing is tried; with few nothing is changed."""
    monkeypatch.setattr("rag.opening.embedder_for", lambda *_: library._embedder)
    library.index(articles)
    for number in range(FOLDS):
        if number == FOLDS - 1:
            with pytest.raises(InputError, match=r"tuning needs 30 questions with .* there are 4;"):
                run("--library", str(library.engine.location))
        question = f"Where does turret number {number} come from?"
        library.rate(question, library.search(question)[0], good=True)
    printed = run("--library", str(library.engine.location), "--apply").splitlines()
    assert printed[0] == "5 rated questions"
    assert printed[1] == "now   meaning_weight 0.5, tokens_weight 0.75: MRR@10 1.000"
    assert printed[3].startswith("gain  +0.000, 95 %: +0.000 … +0.000,")
    assert printed[-1] == "Too few to tell: 30 questions are needed. Nothing was changed."
    assert library.ranking == DEFAULT


def test_search_ranks_as_the_library_was_tuned(
    library: Library, articles: Path, embedder: SentenceTransformerEmbedder
) -> None:
    """Without a share, meaning proposes nothing; a library that is open already follows."""
    library.index(articles)
    question = "Where does the turret come from?"
    assert library.search(question)[0].why.meaning_rank == 1
    with Library.open(library.engine.location, embedder=embedder) as other:
        other.tune(WORDS_ALONE)
    hits = library.search(question)
    assert [one.why.meaning_rank for one in hits] == [None] * len(hits)
    assert hits[0].score == pytest.approx(hits[0].why.words)
    assert library.status().ranking == {"meaning_weight": 0.0, "tokens_weight": 0.0}
    library.tune(None)
    assert library.search(question)[0].why.meaning_rank == 1


@pytest.mark.parametrize("kept", ['{"no_such": 1}', '{"meaning_weight": 2}'])
def test_library_that_another_version_tuned(library: Library, kept: str) -> None:
    """It says so, and how to go back, instead of ranking in some other way."""
    with sqlite3.connect(library.path / "library.db") as connection:
        connection.execute("INSERT INTO meta VALUES ('ranking', ?)", (kept,))
    with pytest.raises(LibraryMismatch, match="default ranking: rag tune --reset"):
        library.search("anything")
    library.tune(None)
    assert library.ranking == DEFAULT


def test_reset_stands_alone(tmp_path: Path) -> None:
    """What would ``--apply`` mean with it?"""
    with pytest.raises(InputError, match="--reset stands alone"):
        run("--library", tmp_path, "--reset", "--apply")
