"""Aliases for the arrays passed between modules, each with a shape and a dtype."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Vector: TypeAlias = NDArray[np.float32]
"""One embedding: shape (dimension,), float32, unit norm."""

Vectors: TypeAlias = NDArray[np.float32]
"""Embeddings, one per row: shape (n, dimension), float32, every row of unit norm."""

TokenVectors: TypeAlias = NDArray[np.float32]
"""Contextual token embeddings: shape (tokens, dimension), float32, not normalized."""

TokenBits: TypeAlias = NDArray[np.uint8]
"""Signs of token vectors, eight dimensions per byte: shape (tokens, dimension / 8), uint8."""

Pieces: TypeAlias = NDArray[np.int32]
"""Ids of word pieces in the model's vocabulary: shape (tokens,), int32."""

Offsets: TypeAlias = NDArray[np.int64]
"""Token offsets in a text: shape (tokens, 2), int64, each row a start and an end."""

Scores: TypeAlias = NDArray[np.float64]
"""One score per candidate: shape (candidates,), float64, higher is better."""

Weights: TypeAlias = NDArray[np.float32]
"""Parameters of a model: any shape, float32, read-only."""

Keys: TypeAlias = NDArray[np.int64]
"""Row keys of passages in the store: shape (n,), int64; never reused within a library."""


def are_unit(vectors: Vectors) -> bool:
    """Whether every row has unit norm, up to float16 rounding; a row with NaN does not."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    return bool((np.abs(squares - 1.0) < 2e-2).all())  # noqa: PLR2004 (1 % of the length)


def distinct(keys: Keys) -> Keys:
    """The unique keys, in order of first appearance."""
    return np.array(list(dict.fromkeys(keys.tolist())), dtype=np.int64)
