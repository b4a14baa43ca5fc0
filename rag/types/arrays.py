"""The arrays that go between modules, each with a name, a shape and a dtype."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]
"""One embedding: shape (dimension,), float32, unit norm."""

Vectors: TypeAlias = NDArray[np.float32]
"""Embeddings, one a row: shape (n, dimension), float32, every row of unit norm."""

TokenVectors: TypeAlias = NDArray[np.float32]
"""What the model says of each token: shape (tokens, dimension), float32, norm not fixed."""

TokenBits: TypeAlias = NDArray[np.uint8]
"""Signs of token vectors, eight dimensions a byte: shape (tokens, dimension / 8), uint8."""

Pieces: TypeAlias = NDArray[np.int32]
"""Ids of word pieces in the model's vocabulary: shape (tokens,), int32."""

Offsets: TypeAlias = NDArray[np.int64]
"""Where tokens lie in a text: shape (tokens, 2), int64, each row the start and end of one."""

Scores: TypeAlias = NDArray[np.float64]
"""One score a candidate: shape (candidates,), float64, higher is better."""

Weights: TypeAlias = NDArray[np.float32]
"""Parameters of a model: any shape, float32, not to be written to."""

Keys: TypeAlias = NDArray[np.int64]
"""Row keys of passages in the store: shape (n,), int64; never used twice in a library."""


def are_unit(vectors: Vectors) -> bool:
    """Whether every row has length 1, but for the rounding to float16; NaN has none."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    return bool((np.abs(squares - 1.0) < 2e-2).all())  # noqa: PLR2004 (1 % of the length)


def distinct(keys: Keys) -> Keys:
    """Each key once, in the order of first appearance."""
    return np.array(list(dict.fromkeys(keys.tolist())), dtype=np.int64)
