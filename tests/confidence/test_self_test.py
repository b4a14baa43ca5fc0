"""The self-test: what is there is found, and what is found no more is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rag import Findability, Hit, InputError, Library, LostDocument, SelfTest
from rag.cli.main import app
from rag.confidence import self_test
from rag.index.sqlite.database import Database
from rag.models.embedder import SentenceTransformerEmbedder

ARTICLES = {
    "harbour.md": "# The old harbour of Ostend"
    "\n\nFishermen unload plaice before sunrise at the quay.\n\n## Lighthouse keepers\n\n"
    "The lighthouse keeper polishes the Fresnel lens every Thursday.",
    "cheese.md": "# How Gruyere cheese ripens"
    "\n\nCopper kettles warm the morning milk to 57 degrees.\n\n## Cellars and humidity\n\n"
    "Wheels rest in damp cellars where bacteria colour the rind.",
    "comets.txt": "Astronomers photographed the periodic comet through a refracting telescope. "
    "Its icy nucleus measures eleven kilometres across and rotates slowly.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder) -> Path:
    """A library of three articles of two types."""
    texts = tmp_path_factory.mktemp("texts")
    for name, text in ARTICLES.items():
        (texts / name).write_text(text)
    path = tmp_path_factory.mktemp("checked") / "library"
    with Library.open(path, embedder=embedder) as library:
        library.index(texts)
    return path


@pytest.fixture
def opened(folder: Path, embedder: SentenceTransformerEmbedder) -> Iterator[Library]:
    """That library, never checked before."""
    with Library.open(folder, create=False, embedder=embedder) as library:
        library.engine.notes.keep(self_test.NAME, None)
        yield library


def test_what_is_there_is_found(opened: Library) -> None:
    """All of a small library, type by type, each thing once; the second run has a first one to be
    compared with.
    """
    steps: list[tuple[int, int]] = []
    first = opened.check(on_progress=lambda done, total: steps.append((done, total)))
    assert [one.type for one in first.types] == [".md", ".txt"]
    assert first.total.queries == sum(one.queries for one in first.types) == len(steps)
    assert steps[-1] == (len(steps), len(steps))
    assert (first.total.recall, first.total.mrr) == (1.0, 1.0)
    assert (first.total.compared, first.missed, first.lost) == (0, (), ())
    second = opened.check()
    assert second.total == replace(
        first.total, compared=first.total.queries, recall_before=1.0, mrr_before=1.0
    )


def test_what_is_looked_for(opened: Library) -> None:
    """Titles, headings and the rarest words of sentences; the first round has each document."""
    found = list(self_test.cases(opened.engine, 200))
    queries = {case.query for case in found}
    assert {"The old harbour of Ostend", "Lighthouse keepers", "Cellars and humidity"} <= queries
    sentences = [case for case in found if case.in_passage]
    assert sentences
    for case in sentences:
        words = case.query.split()
        assert len(words) <= 8
        assert all(word in case.text for word in words)
    assert len({case.document.id for case in found[:3]}) == 3
    assert len(queries) == len(found)


def test_few_queries_take_every_type_in_turn(opened: Library) -> None:
    """Two queries: one of each type, though there are twice as many of one; none is refused."""
    assert [one.queries for one in opened.check(2).types] == [1, 1]
    assert opened.check(1).total.queries == 1
    with pytest.raises(InputError, match="at least 1"):
        opened.check(0)


def test_a_document_that_is_found_no_more_is_named(opened: Library) -> None:
    """What was found last time is lost, what never was is only missed, and ranks count as they
    should: MRR by hand.
    """
    engine = opened.engine

    def without(word: str, k: int, query: str) -> list[Hit]:
        return [hit for hit in opened.search(query, k) if word not in hit.source]

    first = self_test.check(
        engine, lambda query, k: without("comets", k, query), 200, lambda *_: None
    )
    of_comets = [one for one in first.types if one.type == ".txt"]
    assert [(one.recall, one.mrr) for one in of_comets] == [(0.0, 0.0)]
    assert {Path(one.source).name for one in first.missed} == {"comets.txt"}
    assert first.lost == ()
    second = self_test.check(
        engine, lambda query, k: without("cheese", k, query), 200, lambda *_: None
    )
    assert {Path(one.source).name for one in second.lost} == {"cheese.md"}
    assert second.lost == second.missed
    found = second.total.queries - len(second.lost)
    assert second.total.recall == pytest.approx(found / second.total.queries)


def test_a_small_run_forgets_nothing(opened: Library) -> None:
    """Of a run with fewer queries only these are new; but what is gone is forgotten."""
    whole = opened.check().total.queries
    opened.engine.notes.keep(
        self_test.NAME,
        json.dumps(json.loads(opened.engine.notes.note(self_test.NAME) or "") | {"gone query": 1}),
    )
    opened.check(2)
    kept = json.loads(opened.engine.notes.note(self_test.NAME) or "")
    assert len(kept) == whole
    assert "gone query" not in kept
    assert opened.check().total.compared == whole


def test_ranks_make_the_mean() -> None:
    """First, fourth and not at all: (1 + 1/4 + 0) / 3; before, of two: (1/2 + 0) / 2."""
    figures = self_test._figures("", ["a", "b", "c"], {"a": 1, "b": 4, "c": 0}, {"a": 2, "b": 0})
    assert figures == Findability("", 3, 2 / 3, 1.25 / 3, 2, 0.5, 0.25)


def test_broken_memory_is_no_error(opened: Library) -> None:
    """What another version kept, or a stranger's archive brings, is as good as nothing."""
    opened.check(1)
    (asked,) = json.loads(opened.engine.notes.note(self_test.NAME) or "{}")
    id_ = asked.partition(" ")[0]
    ranks: tuple[object, ...] = (None, [1], {}, "1", 1.0, True, -1, self_test.DEPTH + 1, 10**400)
    noted = [json.dumps({asked: rank}) for rank in ranks]
    noted += [json.dumps({"\ud800 x": 1, f"{id_} \ud800": 0}), "{", "[1]", "null", "[" * 100_000]
    for kept in noted:
        opened.engine.notes.keep(self_test.NAME, kept)
        assert opened.last_check() == ()
        assert opened.check(1).total.compared == 0


def test_interrupted_run_keeps_the_one_before(opened: Library) -> None:
    """A comparison is with the last run that came to its end."""
    opened.check(3)
    before = opened.engine.notes.note(self_test.NAME)

    def interrupt(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        opened.check(3, on_progress=interrupt)
    assert opened.engine.notes.note(self_test.NAME) == before


def test_empty_library(library: Library) -> None:
    """There is nothing to look for, and that is no failure."""
    found = library.check()
    assert (found.total.queries, found.types, found.missed) == (0, (), ())


def test_command(folder: Path, opened: Library) -> None:
    """A table for people, and the same as JSON."""
    del opened  # never checked before
    run = CliRunner().invoke(app(["check"]), ["check", "--library", str(folder), "--queries", "4"])
    assert run.exit_code == 0, run.output
    assert "recall@10" in run.stdout
    assert run.stdout.splitlines()[-1].split() == ["all", "4", "1.000", "1.000"]
    run = CliRunner().invoke(
        app(["check"]), ["check", "--library", str(folder), "--queries", "4", "--json"]
    )
    assert json.loads(run.stdout)["total"]["compared"] == 4


def test_command_names_what_is_lost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With exit code 4, and no more than ten of them."""
    lost = tuple(LostDocument(f"Title {n}", f"/x/{n}.txt", "some words") for n in range(12))
    found = SelfTest(Findability("", 12, 0.0, 0.0, 12, 1.0, 1.0), (), lost, lost, 0.1)
    monkeypatch.setattr(Library, "check", lambda *_, **__: found)
    run = CliRunner().invoke(app(["check"]), ["check", "--library", str(folder)])
    assert run.exit_code == 4
    assert "12 things found last time, but not now:" in run.stderr
    assert "Title 9  /x/9.txt: some words" in run.stderr
    assert "Title 10" not in run.stderr
    assert "… and 2 more" in run.stderr


def test_it_takes_no_lock(opened: Library, embedder: SentenceTransformerEmbedder) -> None:
    """Ranks are kept while another process holds the writer's lock."""
    from rag.index.folder import locked

    with locked(opened.path):
        opened.check(2)
    database = Database(opened.path / "library.db", embedder.dimension)
    assert len(json.loads(database.note(self_test.NAME) or "{}")) == 2
    database.close()


def test_what_was_asked_last_time_is_told(opened: Library) -> None:
    """Each query of all runs with its rank, 0 where nothing came up; none of what is gone."""
    assert opened.last_check() == ()
    opened.check()
    found = opened.last_check()
    assert len(found) == opened.check().total.queries
    assert {one.rank for one in found} == {1}
    assert found[-1].title == "The old harbour of Ostend"
    assert found[-1].source.endswith("harbour.md")
    id_ = next(one.id for one in opened.documents() if one.title == "How Gruyere cheese ripens")
    opened.engine.notes.keep(
        self_test.NAME, json.dumps({f"{id_} warm milk": 0, "gone warm milk": 3})
    )
    (missed,) = opened.last_check()
    assert (missed.title, missed.query, missed.rank) == (
        "How Gruyere cheese ripens",
        "warm milk",
        0,
    )
