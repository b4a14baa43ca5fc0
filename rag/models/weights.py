"""The weights of a model, mapped from their file.

The package safetensors would copy them all; mapped, those that a question does not touch (the
vectors of 30,000 word pieces) are never read, and processes share the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rag.types.arrays import Weights


def mapped(path: Path) -> dict[str, Weights]:
    """The float32 tensors of a ``model.safetensors``, by name; others are left out.

    The file holds the length of its header, 8 bytes, little endian; the header, JSON, which says
    of each tensor its type, its shape, and where behind the header its bytes lie; and those.

    Raises
    ------
    OSError, ValueError
        If it can't be read, or is no such file.
    """
    whole = np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    length = int.from_bytes(whole[:8].tobytes(), "little")
    header: Mapping[str, Any] = json.loads(whole[8 : 8 + length].tobytes())
    behind = whole[8 + length :]
    return {
        name: behind[slice(*said["data_offsets"])].view("<f4").reshape(said["shape"])
        for name, said in header.items()
        if said.get("dtype") == "F32"
    }
