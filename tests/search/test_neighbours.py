"""Passages like another one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag import DocumentNotFound, InputError, Library
from rag.models.embedder import SentenceTransformerEmbedder
from rag.search.neighbours import mean_vector
from rag.types import Passage, Span

SUBJECTS = {
    "glaciers": ("ice", "glacier", "moraine", "crevasse", "meltwater", "snowfield"),
    "violins": ("violin", "bow", "luthier", "varnish", "scroll", "fingerboard"),
    "bread": ("dough", "yeast", "oven", "crust", "flour", "kneading"),
}
"""Words of three subjects that have nothing to do with each other."""


def texts(subject: str) -> Iterator[str]:
    """Fifteen passages on a subject, each with other words of it."""
    words = SUBJECTS[subject]
    for n in range(15):
        first, second, third = (words[(n * step + step) % 6] for step in (1, 2, 5))
        yield (
            f"Note {n}: the {first} and the {second} were studied by the group for many years."
            f" After {n + 3} days, the {third} had changed more than anyone thought that it would."
        )


@pytest.fixture(scope="module")
def subjects(
    tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder
) -> Iterator[Library]:
    """A library of 45 documents on three subjects, one passage each; not to be changed."""
    folder = tmp_path_factory.mktemp("subjects")
    for subject in SUBJECTS:
        for n, text in enumerate(texts(subject)):
            (folder / f"{subject}-{n}.txt").write_text(text)
    with Library.open(folder / "library", embedder=embedder) as library:
        library.index(folder)
        yield library


def test_mean_vector_weighs_by_length_and_leaves_headings_out() -> None:
    """Three parts of one direction and one of the other, the heading aside: (3, 1) / √10."""
    sentences = np.eye(3, dtype=np.float32)
    spans = (Span(0, 10), Span(11, 41), Span(42, 52))
    passage = Passage("p", "d", 0, 52, " " * 52, spans, leading=1)
    vector = mean_vector(passage, sentences)
    assert vector.tolist() == pytest.approx([0.0, 3 / 10**0.5, 1 / 10**0.5])
    heading = replace(passage, sentences=spans[:1])
    assert mean_vector(heading, sentences[:1]).tolist() == [1, 0, 0]


def test_neighbours_are_the_most_alike(subjects: Library) -> None:
    """As a full scan by the same vectors finds them, and of the same subject first."""
    stored = subjects.engine.catalogue.sample(45)
    searcher = subjects.engine.searcher()
    keys, counts, vectors = searcher.sentences(searcher.matching("").tolist())
    passages = searcher.passages(keys.tolist())
    sentences = dict(zip(keys.tolist(), np.split(vectors, np.cumsum(counts)[:-1]), strict=True))
    by_id = {
        passages[key].passage.id: mean_vector(passages[key].passage, rows)
        for key, rows in sentences.items()
    }
    vectors = np.array([by_id[one.passage.id] for one in stored])
    own = next(n for n, one in enumerate(stored) if "bread" in one.sources[0])
    found = subjects.neighbours(stored[own].passage.id, k=8)
    cosines = vectors @ vectors[own]
    order = [n for n in np.argsort(-cosines) if n != own][:8]
    assert [one.passage.id for one in found] == [stored[n].passage.id for n in order]
    assert [one.likeness for one in found] == pytest.approx(cosines[order].tolist(), abs=1e-5)
    assert all("bread" in one.source for one in found)


def test_neighbours_have_other_words(library: Library, tmp_path: Path) -> None:
    """Copies of the passage are none, and of copies of another one only the first is taken."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in (("a", "The violin is old."), ("b", "The bow is new."), ("c", "It rains.")):
        for copy in (1, 2):
            (folder / f"{name}{copy}.txt").write_text(f"date 2024-01-0{copy}\n\n{text}")
    library.index(folder)
    assert library.status().documents == library.status().passages == 6
    first = library.search("violin", k=1)[0]
    found = [one.passage.text for one in library.neighbours(first.passage_id)]
    assert sorted(found) == ["It rains.", "The bow is new."]
    with pytest.raises(DocumentNotFound, match="no passage nothing"):
        library.neighbours("nothing")
    with pytest.raises(InputError, match="at least 1, not 0"):
        library.neighbours(first.passage_id, k=0)
