"""Memory-mapped model weights.

The safetensors package would copy them all. When mapped, weights a query does not touch (most of
the 30,000 word-piece vectors) are never read, and processes share the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rag.types.arrays import Weights


def map_tensors(path: Path) -> dict[str, Weights]:
    """Map the float32 tensors of a ``model.safetensors``, by name; others are skipped.

    File format: header length (8 bytes, little endian); header (JSON: dtype, shape and byte range
    of each tensor, relative to the end of the header); tensor data.

    Raises
    ------
    OSError, ValueError
        If it can't be read or is not in this format.
    """
    whole = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    length = int.from_bytes(whole[:8].tobytes(), "little")
    header: Mapping[str, Any] = json.loads(whole[8 : 8 + length].tobytes())
    behind = whole[8 + length :]
    return {
        name: behind[slice(*tensor["data_offsets"])].view("<f4").reshape(tensor["shape"])
        for name, tensor in header.items()
        if tensor.get("dtype") == "F32"
    }
