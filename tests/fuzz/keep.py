"""Keep of what fuzzing tried what reaches the most of the code, for ``test_replay.py``.

    PYTHONPATH=tests/support:tests/faults python tests/fuzz/keep.py CORPUS

Of each target those inputs in ``CORPUS/TARGET/corpus``, the smallest first, that reach a line of
this project which neither what the target begins with nor a smaller one reaches; they are written
to ``tests/fuzz/kept/TARGET.txt``, each a line in base 85.
"""

from __future__ import annotations

import argparse
import base64
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from coverage import Coverage
from targets import TARGETS, Target

KEPT = Path(__file__).parent / "kept"

Lines: TypeAlias = set[tuple[str, int]]


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
    coverage = Coverage(data_file=None, source_pkgs=["rag"], config_file=False)
    coverage.set_option("run:disable_warnings", ["module-not-measured", "no-data-collected"])
    with coverage.collect(), suppress(Exception):  # what is found in it is for test_replay to say
        target.run(data)
    found = coverage.get_data()
    return {(file, line) for file in found.measured_files() for line in found.lines(file) or ()}


if __name__ == "__main__":
    main()
