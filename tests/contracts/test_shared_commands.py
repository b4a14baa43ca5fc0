"""Each command over a shared library, with the packaged model: what it does, or that it is not for
that, by name.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import rag
from engines import place

from rag import Library
from rag.models.embedder import SentenceTransformerEmbedder

QUESTIONS = """question,expected,file
Where is the tank's turret from?,Ghent,tanks.txt
How long does sourdough bread bake?,forty minutes,bread.txt
How low do blue whales sing?,twenty hertz,whales.md
"""


def test_commands(tmp_path: Path, articles: Path) -> None:
    """Filled, asked, judged, verified, carried away and back, gone back in, emptied."""
    url = str(place("shared", tmp_path))

    def run(*arguments: str | Path) -> str:
        done = rag(*arguments, "--library", url, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "added 3 documents" in " ".join(run("index", articles).split())
    answer = run("ask", "Where is the tank's turret from?", "--json")
    assert "Ghent" in json.loads(answer)["hits"][0]["text"]
    (tmp_path / "questions.csv").write_text(QUESTIONS)
    figures = json.loads(run("eval", tmp_path / "questions.csv", "--json"))
    assert (figures["questions"], figures["passages"]) == (3, 3)
    assert figures["metrics"]["answer MRR@10"]["mean"] == 1.0
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
    listed = run("status", "--versions")
    assert "3 documents, 3 passages" in listed
    assert run("restore", "1") == "The library is as it was in version 1: 3 documents.\n"
    assert "documents   3" in run("status")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["doctor"], "rag doctor is for libraries in folders"),
        (["eval", "set"], "has no folder on this machine"),
    ],
)
def test_what_it_cannot_do_it_says(
    tmp_path: Path, embedder: SentenceTransformerEmbedder, arguments: list[str], told: str
) -> None:
    """In a line, and nothing is done."""
    url = place("shared", tmp_path)
    Library.open(url, embedder=embedder).close()
    (tmp_path / "set" / "qrels").mkdir(parents=True)
    (tmp_path / "set" / "corpus.jsonl").write_text('{"_id": "a", "title": "", "text": "One."}\n')
    (tmp_path / "set" / "queries.jsonl").write_text('{"_id": "q", "text": "What?"}\n')
    (tmp_path / "set" / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    done = rag(*arguments, "--library", str(url), folder=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
