"""Cosines between token vectors and binarized ones, which have one bit per dimension."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rag.types.arrays import TokenBits, TokenVectors

_OF_BYTE = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1) * np.float32(2) - 1
"""The eight signs, 1 or -1, of each byte value; one table lookup takes half the time of unpacking,
converting, doubling and subtracting."""

AT_ONCE = 12
"""Rows that OpenBLAS multiplies at once. A remainder would be rounded differently, so products are
padded to a multiple of this: the same row has the same cosine wherever it is. For the same reason
no more vectors than this are multiplied at once."""

WORK = 2**19
"""Multiplications from which on OpenBLAS would split a product among threads, which on a busy
machine wait for each other longer than the product takes. Below it, the unpacked signs also stay in
a core's cache."""


def cosines(vectors: TokenVectors, bits: TokenBits) -> NDArray[np.float32]:
    """Cosine of each vector with each row of signs.

    Parameters
    ----------
    vectors
        Shape (vectors, dimension), not necessarily normalized.
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
        # With mode="raise", take would make a copy before it fills the buffer.
        _OF_BYTE.take(some, axis=0, out=room[: len(some)], mode="clip")
        filled = _filled(len(some))
        for columns, part in parts:
            np.matmul(signs[:filled], part, out=found[first : first + filled, columns])
    return found[: len(bits)].T


def _parts(units: TokenVectors) -> list[tuple[slice, TokenVectors]]:
    """The vectors in blocks of about the same size, each transposed to columns."""
    count = max(-(-len(units) // AT_ONCE), 1)
    size = max(-(-len(units) // (4 * count)), 1) * 4  # OpenBLAS has kernels for four and for eight
    slices = [slice(first, first + size) for first in range(0, len(units), size)]
    return [(one, np.ascontiguousarray(units[one].T)) for one in slices]


def _filled(rows: int) -> int:
    """``rows`` rounded up to a multiple of :data:`AT_ONCE`."""
    return -(-rows // AT_ONCE) * AT_ONCE
