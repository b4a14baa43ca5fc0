"""The map: what is near stays near, the same each time; groups, their names, and neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rag import DocumentNotFound, InputError, Library, mapping, projection, topics
from rag.embedding import SentenceTransformerEmbedder
from rag.types import Span

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


@pytest.fixture(scope="module")
def three(
    tmp_path_factory: pytest.TempPathFactory, embedder: SentenceTransformerEmbedder
) -> Iterator[Library]:
    """A library of three documents, a subject each, of fifteen passages; not to be changed."""
    folder = tmp_path_factory.mktemp("three")
    for subject in SUBJECTS:
        sections = (f"## Part {n}\n\n{text}" for n, text in enumerate(texts(subject)))
        (folder / f"{subject}.md").write_text(f"# On {subject}\n\n" + "\n\n".join(sections))
    with Library.open(folder / "library", embedder=embedder) as library:
        library.index(folder)
        yield library


def test_every_passage_is_on_the_map(three: Library) -> None:
    """Once, with its title, within the square; the groups are the documents."""
    found = three.map()
    passages = [point.passage for point in found.points]
    assert len(passages) == len({one.id for one in passages}) == found.passages
    assert found.documents == 3
    assert all(three.passage(one.id) == one for one in passages)
    assert found.grouping == "documents"
    assert sorted(group.name for group in found.groups) == [
        "On bread",
        "On glaciers",
        "On violins",
    ]
    for point in found.points:
        assert point.title == found.groups[point.group].name
    counts = Counter(point.group for point in found.points)
    assert [group.passages for group in found.groups] == [counts[n] for n in range(3)]
    assert counts[0] >= counts[1] >= counts[2]
    places = np.array([(point.x, point.y) for point in found.points])
    assert np.abs(places).max() == pytest.approx(1.0)
    assert np.ptp(places[:, 0]) >= np.ptp(places[:, 1])


def test_what_is_near_stays_near(subjects: Library) -> None:
    """Trustworthiness (Venna and Kaski 2001) is above 0.9, and the nearest on the map is of the
    same subject.
    """
    from sklearn.manifold import trustworthiness

    found = subjects.map()
    _, vectors, _, _ = mapping._read(subjects._engine, 384, mapping.MOST)
    places = np.array([(point.x, point.y) for point in found.points])
    assert trustworthiness(vectors, places, n_neighbors=5) > 0.9
    names = [subjects.document(p.passage.document_id).source.split("/")[-1] for p in found.points]
    distances = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(len(places))
    same = [
        names[n].split("-")[0] == names[other].split("-")[0]
        for n, other in enumerate(distances.argmin(axis=1))
    ]
    assert np.mean(same) > 0.95


def test_many_documents_are_told_apart_by_topic(subjects: Library) -> None:
    """45 documents are three topics of twelve passages or more, each named by its own words."""
    found = subjects.map()
    assert found.grouping == "topics"
    assert sum(group.passages for group in found.groups) == 45
    assert [group.passages for group in found.groups] == [15, 15, 15]
    owners = []
    for group in found.groups:
        named = set(group.name.split(", "))
        owners.append([one for one, words in SUBJECTS.items() if named <= set(words)])
    assert sorted(owners) == [["bread"], ["glaciers"], ["violins"]]


def test_the_same_each_time(subjects: Library) -> None:
    """To the last digit; and of a part, the part is drawn that has the lowest ids."""
    assert subjects.map() == subjects.map()
    some = subjects.map(20)
    drawn = [one.passage.id for one in subjects.engine.catalogue.sample(20)]
    assert [point.passage.id for point in some.points] == drawn == sorted(drawn)
    assert (some.passages, some.documents) == (45, 45)


def test_an_empty_library_and_one_passage(library: Library, tmp_path: Path) -> None:
    """Nothing lies nowhere, and a single passage in the middle."""
    empty = library.map()
    assert (empty.passages, empty.points, empty.groups) == (0, (), ())
    (tmp_path / "one.txt").write_text("A single sentence stands here all by itself.")
    library.index(tmp_path / "one.txt")
    (point,) = library.map().points
    assert (point.x, point.y, point.group) == (0.0, 0.0, 0)


@settings(max_examples=30)
@given(
    st.integers(0, 30).flatmap(
        lambda n: arrays(np.float32, (n, 5), elements=st.floats(-1, 1, width=32))
    )
)
def test_any_vectors_have_places(vectors: np.ndarray) -> None:
    """Finite, within the square, and equal ones at the same place, however few or alike."""
    places = projection.on_a_plane(vectors)
    assert places.shape == (len(vectors), 2)
    assert np.isfinite(places).all()
    assert (np.abs(places) <= 1.0 + 1e-9).all()
    for row, place in zip(vectors, places, strict=True):
        assert (places[(vectors == row).all(axis=1)] == place).all()


def test_few_lie_as_they_do() -> None:
    """Points of a plane, turned by a right angle, keep their distances: 4 by 2 becomes 1 by ½."""
    corners = np.array([[0, 0], [2, 0], [0, 4], [2, 4]], dtype=np.float32)
    places = projection.on_a_plane(corners)
    assert np.abs(places).ravel().tolist() == pytest.approx([1.0, 0.5] * 4)
    assert len({tuple(np.sign(place)) for place in places.tolist()}) == 4


def test_mean_vector_weighs_by_length_and_leaves_headings_out() -> None:
    """Three parts of one direction and one of the other, the heading aside: (3, 1) / √10."""
    sentences = np.eye(3, dtype=np.float32)
    spans = [Span(0, 10), Span(11, 41), Span(42, 52)]
    vector = projection.mean_vector(sentences, spans, leading=1)
    assert vector.tolist() == pytest.approx([0.0, 3 / 10**0.5, 1 / 10**0.5])
    assert projection.mean_vector(sentences[:1], spans[:1], leading=1).tolist() == [1, 0, 0]


def test_topics_are_named_by_what_others_lack() -> None:
    """Words of both are no names, nor what stands once; forms of a word count once."""
    passages = [
        "Whales whale singing which that",
        "Whales whale singing which that",
        "Tanks turret which that once",
        "Tanks turret which that 1916",
        "Tanks turret 1916",
    ]
    assert topics.named(passages, [1, 1, 0, 0, 0]) == [("Tanks", "turret"), ("singing", "whale")]
    assert topics.named([], []) == []


def test_few_passages_are_one_topic() -> None:
    """Below two dozen there is nothing to tell apart, and equal ones are one topic."""
    rows = np.random.default_rng(1).normal(size=(23, 4))
    assert set(topics.alike(rows).tolist()) == {0}
    assert set(topics.alike(np.ones((40, 4))).tolist()) == {0}
    far = np.repeat([[0.0, 0.0], [9.0, 9.0]], [20, 10], axis=0)
    assert topics.alike(far).tolist() == [0] * 20 + [1] * 10


def test_neighbours_are_the_most_alike(subjects: Library) -> None:
    """As a full scan by the same vectors finds them, and of the same subject first."""
    stored = subjects.engine.catalogue.sample(45)
    _, vectors, _, _ = mapping._read(subjects._engine, 384, 45)
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
