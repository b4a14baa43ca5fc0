"""Each command over a shared library, with the packaged model: what it does, or that it is not for
that, by name.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import rag
from engines import place

QUESTIONS = """question,expected,file
Where is the tank's turret from?,Ghent,tanks.txt
How long does sourdough bread bake?,forty minutes,bread.txt
How low do blue whales sing?,twenty hertz,whales.md
"""


@pytest.fixture
def url(tmp_path: Path, articles: Path) -> str:
    """A shared library of the three articles."""
    found = str(place("shared", tmp_path))
    assert rag("index", articles, "--library", found, folder=tmp_path).returncode == 0
    return found


def test_commands(url: str, tmp_path: Path, articles: Path) -> None:
    """Asked, judged, checked, verified, carried away and back, emptied."""

    def run(*arguments: str | Path) -> str:
        done = rag(*arguments, "--library", url, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    answer = run("ask", "Where is the tank's turret from?", "--json")
    assert "Ghent" in json.loads(answer)["hits"][0]["text"]
    (tmp_path / "questions.csv").write_text(QUESTIONS)
    figures = json.loads(run("eval", tmp_path / "questions.csv", "--json"))
    assert (figures["questions"], figures["passages"]) == (3, 3)
    assert figures["results"][0]["estimates"]["answer MRR@10"]["mean"] == 1.0
    assert "3 documents, 3 passages: everything is as it was written." in run("verify")
    run("export", tmp_path / "articles.rag.zip")
    there = f"{url}-again"
    done = rag("import", tmp_path / "articles.rag.zip", "--library", there, folder=tmp_path)
    assert done.stdout.startswith(f"{there}: 3 documents, ")
    again = rag(
        "ask", "Where is the tank's turret from?", "--json", "--library", there, folder=tmp_path
    )
    assert json.loads(again.stdout)["hits"] == json.loads(answer)["hits"]
    assert "documents   3" in run("status")
    assert "removed" in run("remove", articles)
    assert "documents   0" in run("status")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["doctor"], "rag doctor is for libraries in folders"),
        (["tune"], "no passage that is in the library was called good"),
        (["eval", "set"], "has no folder on this machine"),
    ],
)
def test_what_it_cannot_do_it_says(
    url: str, tmp_path: Path, arguments: list[str], told: str
) -> None:
    """In a line, and nothing is done."""
    (tmp_path / "set" / "qrels").mkdir(parents=True)
    (tmp_path / "set" / "corpus.jsonl").write_text('{"_id": "a", "title": "", "text": "One."}\n')
    (tmp_path / "set" / "queries.jsonl").write_text('{"_id": "q", "text": "What?"}\n')
    (tmp_path / "set" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    done = rag(*arguments, "--library", url, folder=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
