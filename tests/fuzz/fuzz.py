"""Coverage-guided fuzzing of one target, by atheris and so by libFuzzer.

    PYTHONPATH=tests/support:tests/faults python tests/fuzz/fuzz.py TARGET|all [--runs N]
        [--corpus FOLDER]

Mutations are guided by the coverage of this project's own code. A finding (an error that is not
documented, an invariant that does not hold, an input that takes longer than SLOW seconds) is
written to FOLDER/TARGET/findings, once for each place in the code, and the run goes on; the exit
code then is 1. What hangs or needs too much memory ends the run at once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["rag"], enable_loader_override=False):
    from mutations import mutated_xml
    from targets import TARGETS, Target

SLOW = 3.0
"""Seconds of this process's own time; inputs have some kilobytes."""

HANGS = 60
MEMORY_MIB = 2560
LONGEST_INPUT = 6000
_SHARE_OF_XML = 0.6
"""How many mutations of XML are made in its tree, not in its bytes."""


class Watch:
    """Runs a target, counts, and writes down what is found."""

    def __init__(self, name: str, target: Target, folder: Path) -> None:
        self.count = 0
        self._began = time.monotonic()
        self._name, self._target, self._folder = name, target, folder
        self._seen: set[str] = set()

    def __call__(self, data: bytes) -> None:
        """One execution."""
        self.count += 1
        began = time.process_time()
        try:
            self._target.run(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of a Rust library is no Exception
            self._note(data, error)
        if (took := time.process_time() - began) > SLOW:
            self._note(data, TimeoutError(f"{took:.1f} s"))

    def _note(self, data: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)[-2:]
        place = f"{type(error).__name__} " + " ".join(f"{f.filename}:{f.lineno}" for f in frames)
        if place in self._seen:
            return
        self._seen.add(place)
        self._folder.mkdir(parents=True, exist_ok=True)
        stem = self._folder / hashlib.sha256(place.encode()).hexdigest()[:12]
        stem.with_suffix(".input").write_bytes(data)
        told = "".join(traceback.format_exception(error))
        stem.with_suffix(".txt").write_text(told, encoding="utf-8", errors="backslashreplace")
        print(f"FINDING {self._name} {stem}: {place}", flush=True)

    def summary(self) -> dict[str, Any]:
        """What was done."""
        seconds = round(time.monotonic() - self._began, 1)
        found = len(self._seen)
        return {"target": self._name, "runs": self.count, "found": found, "seconds": seconds}


def main() -> None:
    """Fuzz one target."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("target", choices=["all", *TARGETS])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--corpus", type=Path, default=Path(".fuzz"))
    options = parser.parse_args()
    if options.target == "all":
        sys.exit(_each(sys.argv))
    target = TARGETS[options.target]
    folder = options.corpus / options.target
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    target.run(target.seeds[0])  # what is made once, like a library, must not look like a hang
    watch = Watch(options.target, target, folder / "findings")
    arguments = [
        *(sys.argv[0], str(corpus), f"-atheris_runs={options.runs}", f"-timeout={HANGS}"),
        *(f"-rss_limit_mb={MEMORY_MIB}", f"-max_len={LONGEST_INPUT}", "-verbosity=0"),
        *("-print_final_stats=0", f"-artifact_prefix={folder}/", "-close_fd_mask=0"),
    ]
    if target.is_xml:
        atheris.Setup(arguments, watch, custom_mutator=_mutated, internal_libfuzzer=True)
    else:
        atheris.Setup(arguments, watch, internal_libfuzzer=True)
    try:
        atheris.Fuzz()
    finally:
        summary = watch.summary()
        with (options.corpus / "runs.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(summary) + "\n")
        print(json.dumps(summary), flush=True)
        sys.exit(int(summary["found"] > 0))


def _each(arguments: list[str]) -> int:
    """Fuzz one target after the other, each in a process of its own; 1 if any has a finding."""
    at = arguments.index("all")
    commands = [[sys.executable, *arguments[:at], name, *arguments[at + 1 :]] for name in TARGETS]
    return max(int(subprocess.run(command, check=False).returncode != 0) for command in commands)


def _mutated(data: bytes, most: int, seed: int) -> bytes:
    chance = random.Random(seed)  # noqa: S311 - the fuzzer's own, so that a run can be repeated
    if chance.random() < _SHARE_OF_XML:
        made = data[:2] + mutated_xml(data[2:], chance)
        if len(made) <= most:
            return made
    return bytes(atheris.Mutate(data, most))


if __name__ == "__main__":
    main()
