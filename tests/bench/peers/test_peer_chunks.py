"""Where chunks stand in their text, and which pieces a cluster has: worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from chunk_spans import chunk_spans
from cluster_chunker import clusters
from hypothesis import given
from hypothesis import strategies as st


def test_blanks_make_no_difference() -> None:
    """Splitters strip and fold blanks; the span begins and ends at a letter."""
    text = "  One  two.\n\n three  four. "
    assert chunk_spans(text, ["One two.", "three four."]) == [(2, 11), (14, 26)]


def test_words_that_stand_there_twice() -> None:
    """The second chunk is the second of the equal sentences, and the third overlaps it."""
    text = "Yes. Yes. Yes. No."
    assert chunk_spans(text, ["Yes.", "Yes.", "Yes. No."]) == [(0, 4), (5, 9), (10, 18)]


@pytest.mark.parametrize("chunk", ["five", " \n", "four. three"])
def test_what_is_not_there_is_refused(chunk: str) -> None:
    """A chunk that its text has not would be judged by a wrong place."""
    with pytest.raises(ValueError, match="does not stand in the text"):
        chunk_spans("three four.", [chunk])


def test_words_that_stand_in_the_chunk_before() -> None:
    """The second sentence is the last one, not the one in the middle of the first chunk."""
    assert chunk_spans("So. No. So. No.", ["So. No. So.", "No."]) == [(0, 11), (12, 15)]


@given(st.lists(st.text(alphabet="ab ", min_size=1).filter(str.strip), min_size=1))
def test_chunks_without_overlap_are_found_exactly(chunks: list[str]) -> None:
    """Whatever repeats: each begins where the one before it ended."""
    text = "".join(chunks)
    begins = [len("".join(chunks[:number])) for number in range(len(chunks))]
    wanted = [
        (begin + len(one) - len(one.lstrip()), begin + len(one.rstrip()))
        for begin, one in zip(begins, chunks, strict=True)
    ]
    assert chunk_spans(text, [one.strip() for one in chunks]) == wanted


@given(st.lists(st.text(alphabet="ab", min_size=1, max_size=4), min_size=1), st.integers(1, 3))
def test_overlapping_chunks_are_what_stands_there(words: list[str], step: int) -> None:
    """The same letters, though not always the same ones of many that are alike."""
    chunks = ["  ".join(words[i : i + step + 1]) for i in range(0, len(words), step)]
    text = "\n".join(words)
    found = chunk_spans(text, chunks)
    for chunk, (start, end) in zip(chunks, found, strict=True):
        assert "".join(text[start:end].split()) == "".join(chunk.split())


def unit(*angles: float) -> np.ndarray:
    """Vectors at these angles, in degrees."""
    turned = np.deg2rad(np.array(angles))
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def test_pieces_that_are_alike_stay_together() -> None:
    """Cosines 1 within two pairs and 0 between them: the mean is ⅓, so a pair gains 2 · ⅔.

    All four together would gain 2 · (2 · ⅔ - 4 · ⅓) = 0.
    """
    assert clusters(unit(0, 0, 90, 90), 4) == [range(2), range(2, 4)]


def test_no_cluster_has_more_pieces_than_allowed() -> None:
    """Cosines 1 among the first three, 0 with the last: the mean is ½, so three would gain 3.

    With two at most, a pair gains 1 and its neighbour stands alone; the later pair is taken,
    since of equal ways the one whose last chunk is shortest comes first, from the end.
    """
    assert clusters(unit(0, 0, 0, 90), 3) == [range(3), range(3, 4)]
    assert clusters(unit(0, 0, 0, 90), 2) == [range(2), range(2, 3), range(3, 4)]


def test_one_piece_is_one_cluster() -> None:
    """There is no pair to take a mean over."""
    assert clusters(unit(0), 4) == [range(1)]


@given(st.lists(st.floats(0, 180), min_size=1, max_size=7), st.integers(1, 4))
def test_no_other_way_is_better(angles: list[float], most: int) -> None:
    """Against all ways to cut, tried one by one."""
    vectors = unit(*angles)
    alike = vectors.astype(float) @ vectors.T.astype(float)
    if len(angles) > 1:
        alike -= alike[np.triu_indices(len(angles), k=1)].mean()
    np.fill_diagonal(alike, 0.0)

    def gain(cut: list[range]) -> float:
        return float(sum(alike[one.start : one.stop, one.start : one.stop].sum() for one in cut))

    def ways(start: int) -> list[list[range]]:
        if start == len(angles):
            return [[]]
        ends = range(start + 1, min(start + most, len(angles)) + 1)
        return [[range(start, end), *rest] for end in ends for rest in ways(end)]

    found = clusters(vectors, most)
    assert [number for one in found for number in one] == list(range(len(angles)))
    assert max(len(one) for one in found) <= most
    assert gain(found) == pytest.approx(max(gain(way) for way in ways(0)), abs=1e-6)
