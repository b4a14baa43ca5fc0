"""The cluster chunker of Chroma's technical report.

Smith and Troynikov, "Evaluating chunking strategies for retrieval", 2024. Written after the report,
because its package is in no registry.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PIECE = 50
"""Tokens of the pieces that chunks are put together from."""


def clusters(vectors: NDArray[np.float32], most: int) -> list[range]:
    """Put neighbouring pieces together, so that those in one chunk are alike.

    With s the cosine of two pieces less the mean over all pairs, the chunks are the runs of at
    most ``most`` pieces for which the sum of s over all pairs within a chunk is greatest. Of
    equal ways the one whose last chunk is shortest is taken.

    Parameters
    ----------
    vectors
        One a piece, of length 1, shape (pieces, dimensions); in the order of the text.
    most
        Pieces in a chunk, at least 1.

    Returns
    -------
    list
        The numbers of the pieces of each chunk.
    """
    count = len(vectors)
    alike = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    if count > 1:
        alike -= alike[np.triu_indices(count, k=1)].mean()
    np.fill_diagonal(alike, 0.0)
    # within[i, j] is the sum over the first i rows and j columns.
    within = np.pad(alike.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    best = [0.0]
    begins = [0]
    for end in range(1, count + 1):
        gains = [
            best[start] + within[end, end] - 2 * within[start, end] + within[start, start]
            for start in range(end - 1, max(-1, end - 1 - most), -1)
        ]
        size = int(np.argmax(gains)) + 1
        best.append(gains[size - 1])
        begins.append(end - size)
    found: list[range] = []
    end = count
    while end:
        found.append(range(begins[end], end))
        end = begins[end]
    return found[::-1]
