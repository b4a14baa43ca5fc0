"""Keep of what fuzzing tried what reaches the most of the code, for ``test_replay.py``.

    PYTHONPATH=tests/support:tests/faults python tests/fuzz/keep.py CORPUS

Of each target those inputs in ``CORPUS/TARGET/corpus``, the smallest first, that reach a line of
this project which neither what the target begins with nor a smaller one reaches; they are written
to ``tests/fuzz/kept/TARGET.txt``, each a line in base 85.
"""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import TypeAlias

from targets import TARGETS, Target

import rag

KEPT = Path(__file__).parent / "kept"
OURS = str(Path(str(rag.__file__)).parent)

Lines: TypeAlias = set[tuple[CodeType, int]]
Tracer: TypeAlias = Callable[[FrameType, str, object], object]


def main() -> None:
    """Choose, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    corpus = parser.parse_args().corpus
    KEPT.mkdir(exist_ok=True)
    for name, target in TARGETS.items():
        tried = [path.read_bytes() for path in (corpus / name / "corpus").glob("*")]
        kept = chosen(target, sorted(tried, key=lambda data: (len(data), data)))
        lines = b"".join(base64.b85encode(data) + b"\n" for data in kept)
        path = KEPT / f"{name}.txt"
        if lines:
            path.write_bytes(lines)
        else:
            path.unlink(missing_ok=True)
        print(f"{name}: {len(kept)} of {len(tried)}, {len(lines):,} bytes")


def chosen(target: Target, tried: Sequence[bytes]) -> list[bytes]:
    """Those that reach what no other does that was looked at before."""
    known: Lines = set()
    for data in target.seeds:
        known |= reached(target, data)
    kept = []
    for data in tried:
        if new := reached(target, data) - known:
            known |= new
            kept.append(data)
    return kept


def reached(target: Target, data: bytes) -> Lines:
    """The lines of this project that are run for an input."""
    found: Lines = set()

    def called(frame: FrameType, _event: str, _argument: object) -> Tracer | None:
        if not frame.f_code.co_filename.startswith(OURS):
            return None

        def line(frame: FrameType, event: str, _argument: object) -> Tracer | None:
            if event == "line":
                found.add((frame.f_code, frame.f_lineno))
            return line

        return line

    sys.settrace(called)
    try:
        with suppress(Exception):  # what is found in it is for test_replay to say
            target.run(data)
    finally:
        sys.settrace(None)
    return found


if __name__ == "__main__":
    main()
