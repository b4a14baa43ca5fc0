"""Any VectorIndex against brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import LibraryDamaged
from rag.vectors import FaissIndex

DIMENSION = 8


def unit(seed: int, rows: int) -> np.ndarray:
    """Random rows of unit norm."""
    vectors = np.random.default_rng(seed).normal(size=(rows, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def brute_force(held: dict[int, np.ndarray], question: np.ndarray, count: int) -> list[tuple]:
    """All sentences, sorted by cosine."""
    scored = [
        (key, float(vector @ question)) for key, vectors in held.items() for vector in vectors
    ]
    return sorted(scored, key=lambda pair: -pair[1])[:count]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 40), st.integers(1, 5)),
        st.tuples(st.just("remove"), st.integers(1, 40), st.just(0)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(steps, st.integers(0, 10_000), st.integers(1, 60))
def test_search_equals_brute_force(steps: list, seed: int, count: int) -> None:
    """After any adds and removals the nearest sentences are those of a full scan."""
    index = FaissIndex.empty(DIMENSION)
    held: dict[int, np.ndarray] = {}
    for number, (what, key, rows) in enumerate(steps):
        if what == "add" and key not in held:
            held[key] = unit(seed + number, rows)
            index.add(key, held[key])
        elif what == "remove":
            index.remove([(key, len(held.pop(key, [])))])
    question = unit(seed, 1)[0]
    keys, scores = index.search(question, count)
    expected = brute_force(held, question, count)
    assert len(index) == sum(len(vectors) for vectors in held.values())
    assert scores.tolist() == pytest.approx([score for _, score in expected], abs=1e-6)
    assert keys.tolist() == [key for key, _ in expected]


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(1, 99), st.integers(1, 5), max_size=20),
    st.sets(st.integers(1, 99), max_size=10),
    st.integers(1, 40),
)
def test_limited_search_equals_brute_force(rows: dict, chosen: set, count: int) -> None:
    """Among chosen passages, in the index or not, all of the nearest are found."""
    index = FaissIndex.empty(DIMENSION)
    held = {key: unit(key, number) for key, number in rows.items()}
    for key, vectors in held.items():
        index.add(key, vectors)
    question = unit(1234, 1)[0]
    keys, scores = index.search(question, count, [(key, rows.get(key, 3)) for key in chosen])
    expected = brute_force({k: v for k, v in held.items() if k in chosen}, question, count)
    assert keys.tolist() == [key for key, _ in expected]
    assert scores.tolist() == pytest.approx([score for _, score in expected], abs=1e-6)


def test_more_wanted_than_there_are() -> None:
    """No padding: an index of three sentences gives three."""
    index = FaissIndex.empty(DIMENSION)
    index.add(7, unit(1, 3))
    keys, scores = index.search(unit(2, 1)[0], 50)
    assert keys.tolist() == [7, 7, 7]
    assert (np.abs(scores) <= 1).all()


def test_empty_index_finds_nothing() -> None:
    """An empty index is asked like any other."""
    keys, scores = FaissIndex.empty(DIMENSION).search(unit(1, 1)[0], 5)
    assert keys.tolist() == []
    assert scores.tolist() == []


@pytest.mark.parametrize(
    "wrong",
    [
        np.full((1, DIMENSION), np.nan, np.float32),
        np.ones((1, DIMENSION), np.float32),
        np.ones((1, DIMENSION + 1), np.float32),
        np.ones(DIMENSION, np.float32),
    ],
    ids=["nan", "not unit", "too wide", "one row"],
)
def test_wrong_vectors_are_refused(wrong: np.ndarray) -> None:
    """FAISS would take them."""
    with pytest.raises(ValueError, match="must"):
        FaissIndex.empty(DIMENSION).add(1, wrong)


@pytest.mark.parametrize("wrong", [np.full(DIMENSION, np.nan), np.ones(DIMENSION + 1)])
def test_wrong_questions_are_refused(wrong: np.ndarray) -> None:
    """FAISS would answer -1 or die without a word."""
    index = FaissIndex.empty(DIMENSION)
    index.add(1, unit(1, 1))
    with pytest.raises(ValueError, match="must"):
        index.search(wrong.astype(np.float32), 1)


def test_too_many_sentences_are_refused() -> None:
    """They would run into the numbers of the next passage."""
    with pytest.raises(ValueError, match="at most"):
        FaissIndex.empty(DIMENSION).add(1, np.tile(unit(1, 1), (65_537, 1)))


def test_saved_and_loaded(tmp_path: Path) -> None:
    """A loaded index gives the same answers."""
    index = FaissIndex.empty(DIMENSION)
    index.add(3, unit(1, 4))
    index.add(9, unit(2, 2))
    sha256 = index.save(tmp_path / "vectors")
    loaded = FaissIndex.load(tmp_path / "vectors", sha256)
    question = unit(5, 1)[0]
    for found, expected in zip(loaded.search(question, 6), index.search(question, 6), strict=True):
        assert found.tolist() == expected.tolist()


def test_damaged_file_never_reaches_faiss(tmp_path: Path) -> None:
    """One flipped bit is found by the checksum; a missing file is the same kind of damage."""
    index = FaissIndex.empty(DIMENSION)
    index.add(3, unit(1, 4))
    path = tmp_path / "vectors"
    sha256 = index.save(path)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    with pytest.raises(LibraryDamaged, match="not the one that was written"):
        FaissIndex.load(path, sha256)
    path.unlink()
    with pytest.raises(LibraryDamaged, match="can't be read"):
        FaissIndex.load(path, sha256)
