"""Vectors of which only the signs are kept, a bit a dimension, and their cosines with others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.types.arrays import TokenBits, TokenVectors

_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1) * np.float32(2) - 1
"""The eight signs, 1 or -1, that a byte stands for; one look-up takes half the time of unpacking,
converting, doubling and subtracting."""

AT_ONCE = 12
"""Rows that OpenBLAS multiplies at once. Those that are left over it would round another way, so
what is multiplied is always a multiple of them: the same row has the same cosine wherever it
stands. For the same reason no more vectors than these are multiplied with them."""

WORK = 2**19
"""Multiplications, at which OpenBLAS begins to share a product out among threads, if it may, which
on a busy machine wait for each other longer than it takes. With fewer, what is unpacked stays in a
core's cache, too."""


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
    rows = max((WORK - 1) // (AT_ONCE * dimension) // AT_ONCE, 1) * AT_ONCE
    found = np.empty((_filled(len(bits)), len(vectors)), np.float32)
    room = np.ones((min(rows, len(found)), bits.shape[1], 8), np.float32)
    signs = room.reshape(len(room), 8 * bits.shape[1])[:, :dimension]
    parts = _parts(units)
    for first in range(0, len(bits), rows):
        some = bits[first : first + rows]
        # With the mode "raise", take would make a copy before it fills the room.
        _OF_BYTE.take(some, axis=0, out=room[: len(some)], mode="clip")
        filled = _filled(len(some))
        for columns, part in parts:
            np.matmul(signs[:filled], part, out=found[first : first + filled, columns])
    return found[: len(bits)].T


def _parts(units: TokenVectors) -> list[tuple[slice, TokenVectors]]:
    """The vectors in parts of much the same size, each as the columns of a matrix."""
    count = max(-(-len(units) // AT_ONCE), 1)
    size = max(-(-len(units) // (4 * count)), 1) * 4  # OpenBLAS has kernels for four and for eight
    slices = [slice(first, first + size) for first in range(0, len(units), size)]
    return [(one, np.ascontiguousarray(units[one].T)) for one in slices]


def _filled(rows: int) -> int:
    """The next multiple of :data:`AT_ONCE`."""
    return -(-rows // AT_ONCE) * AT_ONCE
