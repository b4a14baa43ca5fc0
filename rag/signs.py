"""Vectors of which only the signs are kept, a bit a dimension, and their cosines with others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.arrays import TokenBits, TokenVectors

_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1) * np.float32(2) - 1
"""The eight signs, 1 or -1, that a byte stands for; one look-up takes half the time of unpacking,
converting, doubling and subtracting."""

PIECE = 3 * 2**14
"""Signs that are unpacked before they are multiplied: so they stay in a core's cache, which halves
the time."""

VECTORS = 8
"""That are multiplied with a piece at once. With more, OpenBLAS rounds the first and last rows
another way, and shares the work out among threads, if it may, which on a busy machine wait for each
other longer than it takes."""


def cosines(vectors: TokenVectors, bits: TokenBits) -> NDArray[np.float32]:
    """Of each vector with each row of signs.

    Parameters
    ----------
    vectors
        Shape (vectors, dimension), of any length.
    bits
        Shape (rows, dimension / 8).

    Returns
    -------
    array
        Shape (vectors, rows).
    """
    dimension = vectors.shape[1]
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    units = vectors / (lengths * np.sqrt(np.float32(dimension)))
    rows = max(PIECE // dimension, 1)
    # The last piece is as long as all others, so that it is rounded alike: the same row has the
    # same cosine wherever it stands.
    found = np.empty((len(vectors), -(-len(bits) // rows) * rows), np.float32)
    room = np.ones((rows, bits.shape[1], 8), np.float32)
    signs = room.reshape(rows, -1)[:, :dimension].T
    for first in range(0, len(bits), rows):
        some = bits[first : first + rows]
        # With the mode "raise", take would make a copy before it fills the room.
        _OF_BYTE.take(some, axis=0, out=room[: len(some)], mode="clip")
        for one in range(0, len(vectors), VECTORS):
            of_these = units[one : one + VECTORS]
            np.matmul(of_these, signs, out=found[one : one + VECTORS, first : first + rows])
    return found[:, : len(bits)]
