"""Documents of a set in a library: each found again by its id, whatever is odd about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from small_sets import BREAD, QUESTIONS, WHALES, write_set

from rag import InputError, Library
from rag.evaluation import corpus
from rag.evaluation.beir import read_beir
from rag.evaluation.labelled_sets import SetDocument


def document(id_: str, title: str, text: str, metadata: Mapping[str, str] = {}) -> SetDocument:
    """A document of a set."""
    return SetDocument(id_, title, text, metadata)


def test_odd_documents(library: Library) -> None:
    """Without a title, without a text, without either, and with an id like a path."""
    documents = [
        document("a/../b", "", BREAD),
        document("only title", "Songs of blue whales at sea", " "),
        document("nothing", " ", "…"),
    ]
    found = corpus.index(documents, library)
    assert library.status().documents == 2
    assert found.names(library.search("sourdough bread")[0]) == ["a/../b"]
    assert found.names(library.search("songs of whales")[0]) == ["only title"]
    assert found.of_source(library.search("sourdough bread")[0].source) == documents[0]


def test_same_text_twice(library: Library) -> None:
    """One hit that stands for both documents."""
    found = corpus.index([document("one", "A", WHALES), document("two", "B", WHALES)], library)
    (hit,) = library.search("whales", k=5)
    assert sorted(found.names(hit)) == ["one", "two"]


def test_metadata_that_look_like_facts(tmp_path: Path, library: Library) -> None:
    """Dates, authors and lists are metadata like all others, to be asked for by their values."""
    metadata = {"date": "2024-05-01", "author": "Ada", "tags": ["sea", "song"], "new": True}
    question = {**QUESTIONS[0], "metadata": {**QUESTIONS[0]["metadata"], "filter": metadata}}
    documents = [
        {"_id": "whales", "title": "Whales", "text": WHALES, "metadata": metadata},
        {
            "_id": "other",
            "title": "Whales",
            "text": f"{WHALES} Really.",
            "metadata": {"new": False},
        },
    ]
    labelled = read_beir(
        write_set(tmp_path / "small", documents, [question], {"test": ["q1\twhales\t1"]})
    )
    assert labelled.documents is not None
    found = corpus.index(labelled.documents, library)
    conditions = labelled.questions[0].where
    hits = library.search(labelled.questions[0].text, where=conditions)
    assert [found.names(hit) for hit in hits] == [["whales"]]


def test_many_documents_are_spread_over_files(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of two documents each, and the ids are still right."""
    monkeypatch.setattr(corpus, "DOCUMENTS_PER_FILE", 2)
    words = ["apples", "bridges", "candles", "dragons", "engines"]
    documents = [document(word, "", f"All about {word}.") for word in words]
    found = corpus.index(documents, library)
    assert len(list((library.path / "corpus").iterdir())) == 3
    for word in words:
        assert found.names(library.search(word)[0]) == [word]


def test_document_that_cannot_be_read(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures without it would be wrong, so there are none."""
    monkeypatch.setattr(
        corpus, "_line", lambda one: "{\n" if one.id == "bad" else '{"text": "Ada."}\n'
    )
    with pytest.raises(InputError, match="1 of the set's documents can't be read, bad for one"):
        corpus.index([document("good", "", "x"), document("bad", "", "x")], library)
