"""Both vector indexes against brute force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import LibraryDamaged
from rag.index.vectors.faiss_index import FaissIndex
from rag.index.vectors.segment import ENOUGH, LayeredIndex, Nearest, tune_probes

DIMENSION = 8

Held = dict[int, np.ndarray]
"""Sentences by the key of their passage."""


def unit(seed: int, rows: int, dimension: int = DIMENSION) -> np.ndarray:
    """Random rows of unit norm, that half precision holds as they are."""
    vectors = np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)


def exact_of(held: Held) -> FaissIndex:
    """An index of all that is held."""
    index = FaissIndex.exact(DIMENSION)
    index.add(held.items())
    return index


def layered_of(held: Held) -> LayeredIndex:
    """Half in the main segment, with some passages that went since; the other half came later."""
    main = {key: rows for key, rows in held.items() if key % 2}
    gone = {key + 1000: unit(key, 2) for key in main}
    delta = {key: rows for key, rows in held.items() if not key % 2}
    return LayeredIndex(exact_of(main | gone), exact_of(delta), np.array(sorted(gone), np.int64))


def brute_force(held: Held, question: np.ndarray, count: int) -> list[tuple[int, float]]:
    """All sentences, sorted by cosine."""
    scored = [
        (key, float(vector @ question)) for key, vectors in held.items() for vector in vectors
    ]
    return sorted(scored, key=lambda pair: -pair[1])[:count]


@pytest.mark.parametrize("made_of", [exact_of, layered_of])
@settings(deadline=None)
@given(
    rows=st.dictionaries(st.integers(1, 99), st.integers(1, 5), max_size=20),
    among=st.none() | st.sets(st.integers(1, 99), max_size=30),
    but=st.sets(st.integers(1, 99), max_size=10),
    count=st.integers(1, 60),
    seed=st.integers(0, 10_000),
)
def test_search_equals_brute_force(
    made_of: Callable[..., FaissIndex | LayeredIndex],
    *,
    rows: dict,
    among: set | None,
    but: set,
    count: int,
    seed: int,
) -> None:
    """Whatever is chosen and left out, in the index or not: the nearest are a full scan's."""
    held = {key: unit(seed + key, number) for key, number in rows.items()}
    question = unit(seed, 1)[0]
    keys, scores = made_of(held).search(
        question,
        count,
        None if among is None else np.array(sorted(among), np.int64),
        np.array(sorted(but), np.int64),
    )
    there = {
        key: rows
        for key, rows in held.items()
        if (among is None or key in among) and key not in but
    }
    expected = brute_force(there, question, count)
    assert keys.tolist() == [key for key, _ in expected]
    assert scores.tolist() == pytest.approx([score for _, score in expected], abs=1e-6)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 40), st.integers(1, 5)), max_size=30),
    st.integers(0, 10_000),
)
def test_adds_and_removals(steps: list, seed: int) -> None:
    """After any adds and removals it holds what it should; unknown keys are passed over."""
    index = FaissIndex.exact(DIMENSION)
    held: Held = {}
    for number, (adds, key, rows) in enumerate(steps):
        if adds and key not in held:
            held[key] = unit(seed + number, rows)
            index.add([(key, held[key])])
        elif not adds:
            held.pop(key, None)
            index.remove([key])
    question = unit(seed, 1)[0]
    expected = brute_force(held, question, 200)
    keys, scores = index.search(question, 200)
    assert len(index) == len(expected)
    assert keys.tolist() == [key for key, _ in expected]
    assert scores.tolist() == pytest.approx([score for _, score in expected], abs=1e-6)


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
        FaissIndex.exact(DIMENSION).add([(1, wrong)])


@pytest.mark.parametrize("wrong", [np.full(DIMENSION, np.nan), np.ones(DIMENSION + 1)])
def test_wrong_questions_are_refused(wrong: np.ndarray) -> None:
    """FAISS would answer -1 or die without a word."""
    with pytest.raises(ValueError, match="must"):
        exact_of({1: unit(1, 1)}).search(wrong.astype(np.float32), 1)


CLOSE, WIDE = 1200, 64
"""Passages of three sentences each, and their dimension, for a compressed index."""


@pytest.fixture(scope="module")
def clustered() -> Held:
    """Sentences around forty directions, as subjects are in a library."""
    centres = unit(0, 40, WIDE)
    noise = np.random.default_rng(1).normal(size=(CLOSE, 3, WIDE)) * 0.09
    rows = centres[np.arange(CLOSE) % 40][:, None, :] + noise
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    return dict(enumerate(rows.astype(np.float16).astype(np.float32)))


@pytest.fixture(scope="module")
def compressed(clustered: Held) -> FaissIndex:
    """A compressed index of them."""
    index = FaissIndex.compressed(np.concatenate(list(clustered.values())), 64)
    index.add(clustered.items())
    return index


def test_compressed_finds_nearly_all_that_is_nearest(
    clustered: Held, compressed: FaissIndex
) -> None:
    """Of the ten nearest sentences' passages, 98 in 100 are among the 300 that it proposes, and
    its guesses at cosines are close.
    """
    found = wanted = 0
    off = []
    for key in range(0, CLOSE, 12):
        question = clustered[key].sum(axis=0)
        question /= np.linalg.norm(question)
        keys, scores = compressed.search(question, 300)
        best = {key for key, _ in brute_force(clustered, question, 10)}
        found += len(best & set(keys.tolist()))
        wanted += len(best)
        off += [
            min(abs(score - cosine) for cosine in clustered[near] @ question)
            for near, score in zip(keys.tolist(), scores.tolist(), strict=True)
        ]
    assert found / wanted > 0.98
    assert np.mean(off) < 0.06


def test_compressed_keeps_to_what_may_be_found(clustered: Held, compressed: FaissIndex) -> None:
    """Few that lie far from the question are all found, in whichever list they are."""
    question = clustered[0][0]
    far = np.array([key for key, _ in brute_force(clustered, -question, 40)], np.int64)
    among = np.unique(far)
    keys, _ = compressed.search(question, 300, among, among[:1])
    assert set(keys.tolist()) == set(among[1:].tolist())
    keys, _ = compressed.search(question, 300, None, among)
    assert not set(keys.tolist()) & set(among.tolist())
    assert len(keys) == 300


def test_compressed_is_changed_and_written_and_mapped(clustered: Held, tmp_path: Path) -> None:
    """What was removed is not found, what was added is, and a file says the same."""
    index = FaissIndex.compressed(np.concatenate(list(clustered.values())), 32)
    index.add((key, rows) for key, rows in clustered.items() if key)
    index.remove([1, 2, 3])
    index.add([(0, clustered[0])])
    sha256 = index.save(tmp_path / "vectors")
    mapped = FaissIndex.load(tmp_path / "vectors", sha256)
    assert len(mapped) == len(index) == 3 * (CLOSE - 3)
    assert mapped.lists == 32
    for key in range(5):
        expected = index.search(clustered[key][0], 20)
        found = mapped.search(clustered[key][0], 20)
        assert [one.tolist() for one in found] == [one.tolist() for one in expected]
        assert (key in found[0]) == (key in {0, 4})


def test_no_more_lists_are_looked_at_than_needed(clustered: Held, tmp_path: Path) -> None:
    """With half as many, fewer of the nearest sentences are found than there should be, by brute
    force; and a file opened with their number looks at as many.
    """
    rows = np.concatenate(list(clustered.values()))
    index = FaissIndex.compressed(rows.copy(), 64)
    nearest = Nearest.of(rows)
    index.add(nearest.observe(clustered.items()))
    most = index.probed
    said = tune_probes(index, nearest)
    assert 1 <= index.probed < most == 8
    assert said == nearest.recall(index) >= ENOUGH
    mapped = FaissIndex.load(tmp_path / "vectors", index.save(tmp_path / "vectors"), index.probed)
    expected = [one.tolist() for one in index.search(rows[0], 50)]
    assert [one.tolist() for one in mapped.search(rows[0], 50)] == expected
    if index.probed > 1:
        index.probed //= 2
        assert nearest.recall(index) < ENOUGH
    wanted = {key for key, _ in brute_force(clustered, rows[0], 10)}
    assert wanted <= set(mapped.search(rows[0], 300)[0].tolist())


def test_saved_and_loaded(tmp_path: Path) -> None:
    """A loaded index gives the same answers, mapped or to be changed."""
    index = exact_of({3: unit(1, 4), 9: unit(2, 2)})
    sha256 = index.save(tmp_path / "vectors")
    expected = [one.tolist() for one in index.search(unit(5, 1)[0], 6)]
    mapped = FaissIndex.load(tmp_path / "vectors", sha256)
    changed = FaissIndex.load(tmp_path / "vectors", sha256, mapped=False)
    assert [one.tolist() for one in mapped.search(unit(5, 1)[0], 6)] == expected
    assert [one.tolist() for one in changed.search(unit(5, 1)[0], 6)] == expected
    changed.remove([3])
    assert changed.search(unit(5, 1)[0], 6)[0].tolist() == [9, 9]


def test_damaged_file_never_reaches_faiss(tmp_path: Path) -> None:
    """One flipped bit is found by the checksum; a missing file is the same kind of damage."""
    path = tmp_path / "vectors"
    sha256 = exact_of({3: unit(1, 4)}).save(path)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    with pytest.raises(LibraryDamaged, match="doesn't match its checksum"):
        FaissIndex.load(path, sha256)
    path.unlink()
    with pytest.raises(LibraryDamaged, match="can't be read"):
        FaissIndex.load(path, sha256)


def test_many_are_added_in_parts() -> None:
    """More than are handed to FAISS at once all arrive, under the right keys."""
    rows = unit(3, 9000)

    def passages() -> Iterator[tuple[int, np.ndarray]]:
        for key in range(9):
            yield key, rows[1000 * key : 1000 * (key + 1)]
        yield 9, rows[:9000]

    index = FaissIndex.exact(DIMENSION)
    index.add(passages())
    assert len(index) == 18_000
    keys, scores = index.search(rows[4500], 2)
    assert sorted(keys.tolist()) == [4, 9]
    assert scores.tolist() == pytest.approx([1, 1], abs=1e-3)
