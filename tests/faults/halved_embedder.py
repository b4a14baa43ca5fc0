"""Another stand-in for a model, with which a library may be re-encoded: half as many dimensions,
and a smaller window.
"""

from __future__ import annotations

import numpy as np
from hashing_embedder import HashingEmbedder

from rag.types.arrays import Offsets, TokenVectors


class HalvedEmbedder(HashingEmbedder):
    """The first half of each vector."""

    name = "halved"
    fingerprint = "halved 1"
    dimension = 32
    window = 20

    def _look_up(self, text: str, tokens: Offsets) -> tuple[np.ndarray, TokenVectors]:
        pieces, vectors = HashingEmbedder()._look_up(text, tokens)
        return pieces, vectors[:, : self.dimension]
