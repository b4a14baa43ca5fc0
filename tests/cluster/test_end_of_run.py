"""The end of a run by other machines gives what it gives by one: counts and indexes, by value."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import without_ray
from engines import place
from hashing_embedder import HashingEmbedder
from made_documents import made

from rag import Library
from rag.cluster.lance import indexes, publication, statistics
from rag.cluster.lance.engine import SharedEngine
from rag.cluster.lance.indexes import Workers, lacking
from rag.cluster.lance.tables import Tables
from rag.cluster.ray import Fleet
from rag.index.records import Source
from rag.text.chunking import passages
from rag.types import Document, document_id

DOCUMENTS = 120

# Ray warns of settings of its own, and leaves files open for the processes that it ends.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    """A library's tables, passages in four files, in two parts; nothing is derived."""
    monkeypatch.setattr(indexes, "ROWS", 60)
    model = HashingEmbedder()
    with Library.open(place("shared", tmp_path), embedder=model) as library:
        engine = library.engine
        assert isinstance(engine, SharedEngine)
        for number, one in enumerate(made(DOCUMENTS)):
            digest = hashlib.sha256(one.text.encode()).hexdigest()
            document = Document(document_id(digest), one.name, one.name, one.text, digest)
            cut = passages(document, model)
            source = Source(one.name, one.name, document.id)
            engine.writer.put(document, source, cut, model.passages(cut))
            if number % 30 == 29:
                engine.writer.flush()
        yield engine._tables


@pytest.fixture(params=["one process", pytest.param("ray", marks=pytest.mark.slow)])
def by(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Who does it."""
    if request.param == "one process":
        yield without_ray.OneProcess()
        return
    pytest.importorskip("ray")
    from rag.cluster.ray.pipeline import machines

    with machines(Fleet("local")) as there:
        yield there


def test_terms_are_counted_by_parts(tables: Tables, by: Workers) -> None:
    """Every count, and of the version that is said."""
    assert len(indexes.parts(tables.passages)) == 2
    publication.publish(tables, by)
    expected = statistics.count_terms(tables.passages.each(statistics.COLUMNS))
    expected[statistics.VERSION] = tables.passages.version
    found = {row["term"]: row["passages"] for row in tables.terms.rows(("term", "passages"))}
    assert found == dict(expected)
    assert found[statistics.PASSAGES] == DOCUMENTS


def test_indexes_are_made_by_parts(
    tables: Tables, by: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They lack nothing and find what those find that one machine makes; compressed
    ones in lists find as many.
    """
    copied = shutil.copytree(tmp_path / "shared", tmp_path / "copied")
    alone = Tables(f"file://{copied}")
    publication.publish(alone)
    indexes.update(tables, 3 * DOCUMENTS, by)
    made_, expected = tables.passages, alone.passages
    assert set(lacking(made_).values()) == {0}
    assert lacking(made_).keys() == lacking(expected).keys()
    vectors = [one.vector for one in HashingEmbedder().queries([one.question for one in made(20)])]
    questions = [" ".join(row["stems"].split()[:6]) for row in expected.rows(("stems",))[:20]]
    for question, vector in zip(questions, vectors, strict=True):
        assert made_.nearest(vector, 5, None).tolist() == expected.nearest(vector, 5, None).tolist()
        assert (
            made_.lexical(question, 5, None).tolist()
            == expected.lexical(question, 5, None).tolist()
        )
    publication.publish(tables, by)
    exact = [set(tables.passages.nearest(one, 10, None).tolist()) for one in vectors]
    monkeypatch.setattr(indexes, "EXACT", 0)
    monkeypatch.setattr(indexes, "lists_for", lambda _: 4)
    indexes.update(tables, 3 * DOCUMENTS, by)
    publication.publish(alone, force=True)
    recalls = []
    for one in (tables.passages, alone.passages):
        assert [name for name in lacking(one) if name.startswith("vectors")] == ["vectors_in_4"]
        assert set(lacking(one).values()) == {0}
        found = [set(one.nearest(v, 10, "id != ''").tolist()) for v in vectors]
        recalls.append(sum(len(a & b) for a, b in zip(found, exact, strict=True)) / (10 * 20))
    assert recalls[0] >= recalls[1] - 0.05
