"""What fuzzing began with and what it kept is run again: nothing is found in it any more."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest
from targets import TARGETS

pytestmark = pytest.mark.slow

KEPT = Path(__file__).parent / "kept"
SLOWEST = 20
"""Seconds for one input, on a machine that does much else."""


def kept(name: str) -> list[bytes]:
    """The inputs of a target that reach the most of the code, one a line."""
    path = KEPT / f"{name}.txt"
    return [base64.b85decode(line) for line in path.read_bytes().split()] if path.exists() else []


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found(name: str) -> None:
    """Only documented errors come out, every invariant holds, and none takes long."""
    target = TARGETS[name]
    inputs = [b"", *target.seeds, *kept(name)]
    assert len(inputs) > 1
    for data in inputs:
        began = time.process_time()
        target.run(data)
        assert time.process_time() - began < SLOWEST
