"""The end of a run by other machines gives what it gives by one: counts and indexes, by value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import one_process
import pytest
from engines import place
from hashing_embedder import HashingEmbedder
from made_documents import made

from rag import Library
from rag.chunking import passages
from rag.cluster.fleet import Fleet
from rag.shared import publishing, statistics, workers
from rag.shared.engine import SharedEngine
from rag.shared.lance_tables import Tables
from rag.shared.workers import Workers
from rag.store import Source
from rag.types import Document, document_id

DOCUMENTS = 120

# Ray warns of settings of its own, and leaves files open for the processes that it ends.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    """A library's tables, passages in four files, in two parts; nothing is derived."""
    monkeypatch.setattr(workers, "ROWS", 60)
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


@pytest.fixture(params=["one process", "ray"])
def by(request: pytest.FixtureRequest) -> Iterator[Workers]:
    """Who does it."""
    if request.param == "one process":
        yield one_process.OneProcess()
        return
    pytest.importorskip("ray")
    from rag.cluster.pipeline import machines

    with machines(Fleet("local")) as there:
        yield there


def test_terms_are_counted_by_parts(tables: Tables, by: Workers) -> None:
    """Every count, and of the version that is said."""
    assert len(workers.parts(tables.passages)) == 2
    publishing.publish(tables, by)
    expected = statistics.counted(tables.passages.each(statistics.COLUMNS))
    expected[statistics.VERSION] = tables.passages.version
    found = {row["term"]: row["passages"] for row in tables.terms.rows(("term", "passages"))}
    assert found == dict(expected)
    assert found[statistics.PASSAGES] == DOCUMENTS
