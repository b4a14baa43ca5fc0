"""Vectors of which only the signs are kept, a bit a dimension, and their cosines with others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.arrays import TokenBits, TokenVectors

_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1) * np.float32(2) - 1
"""The eight signs, 1 or -1, that a byte stands for; one look-up takes half the time of unpacking,
converting, doubling and subtracting."""

MOST_AT_ONCE = 128
"""Rows that are unpacked before they are multiplied: so they stay in a core's cache, which halves
the time."""

FEWEST_AT_ONCE = 32

SHARED_OUT = 2**19
"""Multiplications of a product from which on OpenBLAS shares it out to threads, if it may. Products
stay below: on a busy machine its threads wait for each other longer than the work takes."""


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
    found = np.empty((len(vectors), len(bits)), np.float32)
    alone = (SHARED_OUT - 1) // max(vectors.size, 1)
    at_once = min(max(alone, FEWEST_AT_ONCE), MOST_AT_ONCE)
    room = np.empty((at_once, bits.shape[1], 8), np.float32)
    for first in range(0, len(bits), at_once):
        some = slice(first, min(first + at_once, len(bits)))
        # With the mode "raise", take would make a copy before it fills the room.
        signs = _OF_BYTE.take(bits[some], axis=0, out=room[: some.stop - first], mode="clip")
        signs = signs.reshape(len(signs), -1)[:, :dimension]
        np.matmul(units, signs.T, out=found[:, some])
    return found
