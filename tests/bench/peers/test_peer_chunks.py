"""Where chunks stand in their text, and which pieces a cluster has: worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from chunks import chunk_spans
from hypothesis import given
from hypothesis import strategies as st
from plain import clusters


@pytest.mark.parametrize(
    ("text", "chunks", "spans"),
    [
        ("  One  two.\n\n three  four. ", ["One two.", "three four."], [(2, 11), (14, 26)]),
        ("Yes. Yes. Yes. No.", ["Yes.", "Yes.", "Yes. No."], [(0, 4), (5, 9), (10, 18)]),
        ("So. No. So. No.", ["So. No. So.", "No."], [(0, 11), (12, 15)]),
    ],
)
def test_chunks_are_found_where_they_were_cut(
    text: str, chunks: list[str], spans: list[tuple[int, int]]
) -> None:
    """Blanks make no difference, and words that stand there twice are told apart."""
    assert chunk_spans(text, chunks) == spans


@pytest.mark.parametrize("chunk", ["five", " \n", "four. three"])
def test_what_is_not_there_is_refused(chunk: str) -> None:
    """A chunk that its text doesn't have would be judged by a wrong place."""
    with pytest.raises(ValueError, match="does not stand in the text"):
        chunk_spans("three four.", [chunk])


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


@given(st.lists(st.floats(0, 180), min_size=1, max_size=7), st.integers(1, 4))
def test_no_other_clusters_are_better(angles: list[float], most: int) -> None:
    """Against all ways to cut, tried one by one."""
    turned = np.deg2rad(np.array(angles))
    vectors = np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)
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
